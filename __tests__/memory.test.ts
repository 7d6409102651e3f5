import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

/** A heap that grows by less in a round of calls does not grow: that is a few bytes a key. */
const steady = 1.05;

/**
 * Runs `body` in a process of its own and plays rounds of `keys` distinct keys until one leaves the heap where it was, six
 * at most. The first rounds may leave more: newer versions of Node compile for longer. What a call leaves behind shows in
 * every round.
 */
function heapAfter(keys: number, body: string): { before: number; after: number } {
  const program = `
    import QuickLRU from 'quick-lru';
    import { memoizeAsync } from './lib/index.ts';
    ${body}
    const gc = globalThis.gc;
    const heap = async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      return process.memoryUsage().heapUsed;
    };
    await round(0, 100_000);
    let before = await heap();
    let after = before;
    for (let played = 0, from = 100_000; played < 6; played += 1, from += ${keys}) {
      await round(from, from + ${keys});
      [before, after] = [after, await heap()];
      if (after / before < ${steady}) break;
    }
    console.log(JSON.stringify({ before, after }));
  `;
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', program],
    { encoding: 'utf8', timeout: 240_000 },
  );
  return JSON.parse(output) as { before: number; after: number };
}

describe('the heap', () => {
  it('is where it was after 10^6 distinct keys in the default store, half of which fail', () => {
    const { before, after } = heapAfter(
      1_000_000,
      `
        const load = memoizeAsync(
          async (id) => {
            if (id % 2 === 0) throw new Error('down');
            return { id, text: 'x'.repeat(50) + id };
          },
          { ttl: 60_000, errorTtl: 60_000, staleIfError: 60_000, timeout: 60_000 },
        );
        const round = async (from, to) => {
          for (let id = from; id < to; id += 1) await load(id).catch(() => undefined);
        };
      `,
    );
    expect(after / before).toBeLessThan(steady);
  }, 300_000);

  it('is where it was after 10^5 distinct keys in a slow store, with signals, fences and refreshes', () => {
    const { before, after } = heapAfter(
      100_000,
      `
        const kept = new QuickLRU({ maxSize: 1_000 });
        const slow = (act) => new Promise((resolve) => queueMicrotask(() => resolve(act())));
        const cache = {
          get: (key) => slow(() => kept.get(key)),
          set: (key, entry) => slow(() => void kept.set(key, entry)),
          delete: (key) => slow(() => kept.delete(key)),
        };
        const load = memoizeAsync(
          async (id, signal) => {
            if (id % 2 === 0) throw new Error('down');
            return { id, text: 'x'.repeat(50) + id };
          },
          { name: 'load', cache, ttl: 60_000, timeout: 60_000, onEvent: () => undefined },
        );
        const shared = new AbortController().signal;
        const round = async (from, to) => {
          for (let id = from; id < to; id += 1) {
            const leaver = new AbortController();
            const left = load(id, leaver.signal).catch(() => undefined);
            const stays = load(id, shared).catch(() => undefined);
            leaver.abort();
            await Promise.all([left, stays]);
            if (id % 5 === 0) await load.delete(id);
            if (id % 7 === 0) await load.refresh(id).catch(() => undefined);
            if (id % 11 === 0) await load.prime([id], 'primed');
          }
          await load.settled();
        };
      `,
    );
    expect(after / before).toBeLessThan(steady);
  }, 300_000);
});
