import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as scripts from '../../lib/redis/scripts.js';
import { apply, canonical, operations, start } from '../support/redis-protocol.js';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Script } from '../../lib/redis/scripts.js';
import type { Operation, State, Step } from '../support/redis-protocol.js';

/** How many calls a sequence has. */
const LENGTH = 6;

/** More than any name of a canonical state. */
const FRESH = 99;

interface Transition {
  readonly from: State;
  readonly operation: Operation;
  readonly who: number;
  readonly expected: Step;
}

describeRedis('the scripts', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  it(`agree with the protocol in all sequences of ${LENGTH} calls by two clients`, async () => {
    const seen = new Map([[JSON.stringify(start), start]]);
    let frontier: readonly State[] = [start];
    let count = 0;
    for (let depth = 0; depth < LENGTH; depth += 1) {
      const transitions = frontier.flatMap(transitionsOf);
      for (let from = 0; from < transitions.length; from += 1_000) await check(transitions.slice(from, from + 1_000));
      count += transitions.length;
      const next: State[] = [];
      for (const { expected } of transitions) {
        const state = canonical(expected.state);
        const text = JSON.stringify(state);
        if (seen.has(text)) continue;
        seen.set(text, state);
        next.push(state);
      }
      frontier = next;
    }
    process.stdout.write(`${count} steps from ${seen.size} states\n`);
    // A sequence continues from its state alone, so that these stand for all sequences.
    expect(count).toBeGreaterThan(1_000);
  }, 120_000);

  function transitionsOf(from: State): Transition[] {
    return operations.flatMap((operation) =>
      [0, 1].flatMap((who) => {
        const expected = apply(from, operation, who, FRESH);
        return expected === undefined ? [] : [{ from, operation, who, expected }];
      }),
    );
  }

  /** Sets up the state on the server, runs the script there, and compares its reply and what it leaves. */
  async function check(transitions: readonly Transition[]): Promise<void> {
    const now = Date.now();
    const pipeline = client.pipeline();
    pipeline.flushall();
    transitions.forEach(({ from, operation, who }, index) => {
      const keys = [`{${index}}`, `{${index}}:l`] as const;
      if (from.value !== null) pipeline.set(keys[0], `1 ${from.value.generation}.${from.value.token} ${now} x`);
      if (from.record !== null) {
        const { generation, holder, isPast, takeovers, failed } = from.record;
        const deadline = isPast ? 0 : now + 15_000;
        pipeline.set(keys[1], `${generation} ${holder} ${deadline} ${takeovers} ${failed}`, 'PX', 60_000);
      }
      const call = callOf(from, operation, who);
      if (call === undefined) pipeline.echo('none');
      else pipeline.eval(call.script.source, 2, ...keys, ...call.args);
      pipeline.mget(...keys);
    });
    const replies = (await pipeline.exec())!.slice(1);
    let at = 0;
    for (const transition of transitions) {
      const { from, operation, who, expected } = transition;
      at += (from.value === null ? 0 : 1) + (from.record === null ? 0 : 1);
      const [error, reply] = replies[at]!;
      const [value, record] = replies[at + 1]![1] as [string | null, string | null];
      at += 2;
      if (operation === 'pass') continue;
      const found = {
        error,
        reply: wordsOf(operation, reply),
        value: value === null ? null : value.split(' ')[1],
        record: record === null ? null : describeRecord(record),
      };
      const { state } = expected;
      expect([transition, found]).toEqual([
        transition,
        {
          error: null,
          reply: expected.reply,
          value: state.value === null ? null : `${state.value.generation}.${state.value.token}`,
          record:
            state.record === null
              ? null
              : `${state.record.generation} ${state.record.holder} ${state.record.isPast} ${state.record.takeovers} ${state.record.failed}`,
        },
      ]);
      // The law: what an invalidation has made void is never written.
      if (operation === 'commit' && from.clients[who]!.isVoid) expect([transition, state]).toEqual([transition, from]);
    }
  }
});

function callOf(from: State, operation: Operation, who: number): { script: Script; args: string[] } | undefined {
  const { token, generation } = from.clients[who]!;
  const fresh = [`t${FRESH}`, `g${FRESH}`] as const;
  const seen = from.value === null ? '' : `${from.value.generation}.${from.value.token}`;
  const beginTail = [fresh[1], 'channel', 'fences', 'announcement'];
  switch (operation) {
    case 'acquire':
      return { script: scripts.acquire, args: [fresh[0], '5000', '', fresh[1]] };
    case 'acquire again':
      return { script: scripts.acquire, args: [token, '5000', '', fresh[1]] };
    case 'acquire seeing':
      return { script: scripts.acquire, args: [fresh[0], '5000', seen, fresh[1]] };
    case 'begin keep':
      return { script: scripts.begin, args: [fresh[0], '5000', 'keep', ...beginTail] };
    case 'begin drop':
      return { script: scripts.begin, args: [fresh[0], '5000', 'drop', ...beginTail] };
    case 'begin again':
      return { script: scripts.begin, args: [token, '5000', 'keep', ...beginTail] };
    case 'commit':
      return {
        script: scripts.commit,
        args: [generation, token, '0', '', 'x', 'channel', 'writes', 'announcement', ''],
      };
    case 'renew':
      return { script: scripts.renew, args: [generation, token, '5000'] };
    case 'release again':
    case 'release alone':
      return { script: scripts.release, args: [token, operation.slice(8), 'channel'] };
    case 'invalidate':
      return { script: scripts.invalidate, args: ['channel', 'fences', 'announcement'] };
    case 'expire':
      return { script: scripts.expire, args: ['1000', 'channel', 'fences', 'announcement'] };
    case 'pass':
      return undefined;
  }
}

/** The parts of a reply that do not depend on the time. */
function wordsOf(operation: Operation, reply: unknown): string[] {
  if (!Array.isArray(reply)) return [String(reply)];
  const [, word, first, second, third] = (reply as unknown[]).map(String);
  if (word === 'hit') return ['hit', first!.split(' ')[1]!];
  if (word === 'wait') {
    expect(Number(second)).toBeGreaterThan(0);
    return ['wait', first!, third!];
  }
  expect([operation, word]).toEqual([operation, 'grant']);
  return ['grant', first!];
}

function describeRecord(text: string): string {
  const [generation, holder, deadline, takeovers, failed] = text.split(' ');
  return `${generation} ${holder} ${Number(deadline) <= Date.now()} ${takeovers} ${failed}`;
}
