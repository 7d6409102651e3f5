import { describe, expect, it } from '@jest/globals';
import { functionClient } from '../../lib/redis/clients/function.js';
import { ServerClock } from '../../lib/redis/clock.js';
import { CommandRunner } from '../../lib/redis/command-runner.js';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { SharedMarks } from '../../lib/redis/shared-marks.js';
import { createEntry } from '../../lib/store/entry.js';
import { deferred, flush } from '../support/call-recorder.js';
import type { CommandFunction } from '../../lib/redis/clients/function.js';
import type { Deferred } from '../support/call-recorder.js';

describe('SharedMarks', () => {
  it('knows all marks that it has asked for, also where they are more than it remembers', async () => {
    const replies: (() => void)[] = [];
    const { marks } = open(([, , , , ...tags]) => {
      const answer: Deferred<unknown> = deferred();
      replies.push(() => answer.resolve(['1', '0', ...tags.flatMap(() => ['0', '0'])]));
      return answer.promise;
    });
    const judged: Promise<unknown>[] = [];
    for (const name of ['a', 'b', 'c']) {
      const tags = Array.from({ length: 6_000 }, (_, index) => `${name} ${index}`);
      const entry = createEntry({ value: name, ttl: Infinity, tags, begun: 2 }, 0);
      judged.push(marks.judge(entry, Promise.resolve(undefined), 1_000));
      await flush();
    }
    // All in one turn, as they come from one socket.
    for (const reply of replies) reply();
    expect(await Promise.all(judged)).toMatchObject([{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  });

  it('ends an entry at the first soft mark after its run began, or a little earlier', async () => {
    const { marks } = open(async () => ['1', '0', '0', '30000 20000']);
    const endOf = async (begun: number): Promise<number | undefined> => {
      const entry = createEntry({ value: 'v', ttl: Infinity, tags: ['t'], begun }, 0);
      return (await marks.judge(entry, Promise.resolve(undefined), 1_000))!.freshUntil;
    };
    // The clock of the server is not known, and its times are taken as they are.
    expect(await Promise.all([5_000, 10_000, 20_000, 20_001, 30_000, 30_001].map(endOf))).toEqual([
      ...[5, 10, 20, 30, 30, undefined],
    ]);
  });

  function open(send: CommandFunction) {
    const keyspace = new Keyspace({ prefix: 'p:', keyPrefix: '', readableKeys: false });
    return { marks: new SharedMarks(new CommandRunner(functionClient(send)), keyspace, new ServerClock()) };
  }
});
