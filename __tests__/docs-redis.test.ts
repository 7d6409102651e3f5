import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { invalidateTags, memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { describeRedis, TestServer } from './support/redis-server.js';

const page = readFileSync('docs/redis.md', 'utf8');
const [, rules = ''] = /## Access control[\s\S]*?^```text\n(.*)\n```$/mu.exec(page)!;

describeRedis('docs/redis.md', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.close());

  it('names each command of the scripts', () => {
    const source = readFileSync('lib/redis/scripts.ts', 'utf8');
    const called = new Set([...source.matchAll(/redis\.p?call\('(\w+)'/gu)].map(([, command = '']) => command));
    expect(called.size).toBeGreaterThan(5);
    expect([...called].filter((command) => !rules.split(' ').includes(`+${command}`))).toEqual([]);
  });

  it('names the commands that a user with an access list needs', async () => {
    const [, ofClients = ''] = /^Clients send some of their own[^`]*`([^`]*)`/mu.exec(page)!;
    const admin = server.client();
    const list = [...rules.split(' '), ...ofClients.split(' ')];
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...list);

    const shared = redisStore(server.client({ username: 'app', password: 'secret' }), { prefix: 'app:' });
    const errors: unknown[] = [];
    const wrapper = memoizeAsync(async (id: number) => id, {
      name: 'double',
      ttl: 60_000,
      staleIfError: 60_000,
      cache: tiered(new Map(), shared),
      tags: (_value, id) => [`id:${id}`],
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
    expect(await wrapper.expire(2)).toBe(true);
    await invalidateTags(wrapper, ['id:2'], { soft: true });
    expect(await wrapper.has(2)).toBe(true);
    // More than are kept, so that the oldest are dropped.
    const many = Array.from({ length: 10_001 }, (_, id) => `other:${id}`);
    for (let start = 0; start < many.length; start += 2_000) {
      await invalidateTags(wrapper, many.slice(start, start + 2_000));
    }
    expect(Number(await admin.call('HLEN', 'app:v1:marks'))).toBeLessThanOrEqual(10_000);
    expect(await wrapper(2)).toBe(2);
    await wrapper.settled();
    await wrapper.clear();
    expect(await wrapper.has(2)).toBe(false);
    expect(errors).toEqual([]);
    expect(wrapper.stats().unleased).toBe(0);
    const refused = (await admin.call('ACL', 'LOG')) as readonly unknown[];
    expect(refused).toEqual([]);
    await shared.close();
  });
});
