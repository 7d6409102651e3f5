import { describe, expect, it } from '@jest/globals';
import { functionClient } from '../../lib/redis/clients/function.js';
import { ServerClock } from '../../lib/redis/clock.js';
import { CommandRunner } from '../../lib/redis/command-runner.js';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { SharedMarks } from '../../lib/redis/shared-marks.js';
import { createEntry } from '../../lib/store/entry.js';
import { deferred, flush } from '../support/call-recorder.js';
import type { Deferred } from '../support/call-recorder.js';

describe('SharedMarks', () => {
  it('knows all marks that it has asked for, also where they are more than it remembers', async () => {
    const replies: (() => void)[] = [];
    const runner = new CommandRunner(
      functionClient(([, , , , ...tags]) => {
        const answer: Deferred<unknown> = deferred();
        replies.push(() => answer.resolve(['1', '0', ...tags.flatMap(() => ['0', '0'])]));
        return answer.promise;
      }),
    );
    const keyspace = new Keyspace({ prefix: 'p:', keyPrefix: '', readableKeys: false });
    const marks = new SharedMarks(runner, keyspace, new ServerClock());
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
});
