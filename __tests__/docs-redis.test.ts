import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { describeRedis, TestServer } from './support/redis-server.js';

const page = readFileSync('docs/redis.md', 'utf8');

describeRedis('docs/redis.md', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.close());

  it('names the commands that a user with an access list needs', async () => {
    const [, rules = ''] = /## Access control[\s\S]*?^```text\n(.*)\n```$/mu.exec(page)!;
    const [, ofClients = ''] = /^Clients send some of their own[^`]*`([^`]*)`/mu.exec(page)!;
    const admin = server.client();
    const list = [...rules.split(' '), ...ofClients.split(' ')];
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...list);

    const shared = redisStore(server.client({ username: 'app', password: 'secret' }), { prefix: 'app:' });
    const errors: unknown[] = [];
    const wrapper = memoizeAsync(async (id: number) => id, {
      name: 'double',
      ttl: 60_000,
      cache: tiered(new Map(), shared),
      onEvent: (event) => {
        if (event.type === 'store-error') errors.push(event.error);
      },
    });
    expect(await wrapper(1)).toBe(1);
    await wrapper.settled();
    expect(await wrapper.peek(1)).toBe(1);
    await wrapper.refresh(1);
    await wrapper.prime([2], 3);
    expect(await wrapper(2)).toBe(3);
    expect(await wrapper.delete(1)).toBe(true);
    await wrapper.clear();
    expect(await wrapper.has(2)).toBe(false);
    expect(errors).toEqual([]);
    expect(wrapper.stats().unleased).toBe(0);
    const refused = (await admin.call('ACL', 'LOG')) as readonly unknown[];
    expect(refused).toEqual([]);
    await shared.close();
  });
});
