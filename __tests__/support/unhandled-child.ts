import { memoizeAsync } from 'aiocachetools';
import { FaultyStore } from './faulty-store.js';
import type { Fault } from './faulty-store.js';

/** Run in a process of its own, where an unhandled rejection is the end: lets everything fail, and says so when done. */
void (async () => {
  // No timer of the library keeps a process alive.
  const alive = setInterval(() => undefined, 1_000);
  if (process.argv[2] !== undefined) void Promise.reject(new Error('nobody handles this'));
  const faults: (Fault | undefined)[] = [undefined, 'throws', 'rejects', 'rejects after a yield', 'hangs', 'refuses'];
  for (const get of faults) for (const set of faults) await exercise(get, set);
  // Rejections count as unhandled once the microtasks are done.
  await new Promise((resolve) => setImmediate(resolve));
  clearInterval(alive);
  console.log('done');
})();

/** No number at all: an `async` function where none may be. */
function refuse(): never {
  return Promise.reject(new Error('async')) as never;
}

async function exercise(get: Fault | undefined, set: Fault | undefined): Promise<void> {
  const store = new FaultyStore();
  Object.assign(store.faults, { get, set, delete: set, keys: get });
  const fn = async (id: number, options: { signal?: AbortSignal } = {}): Promise<number> => {
    if (id === 1) throw new Error('no');
    if (id === 2)
      await new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(new Error('late'))));
    return id;
  };
  const wrapper = memoizeAsync(fn, {
    cache: store,
    name: 'fn',
    storeTimeout: 2,
    timeout: 5,
    ttl: (value) => (value === 0 ? 0 : value === 3 ? NaN : value === 4 ? refuse() : 10),
    errorTtl: (error) => (error instanceof TypeError ? 10 : refuse()),
    staleIfError: 10,
    onEvent: async () => Promise.reject(new Error('listener')),
  });
  const controller = new AbortController();
  const all = [
    ...[0, 1, 2, 3, 4].map((id) => wrapper(id)),
    ...[1, 2, 3].map((id) => wrapper(id, { signal: controller.signal })),
    ...[1, 2, 3].map((id) => wrapper(id, { signal: AbortSignal.abort() })),
    wrapper((() => undefined) as never),
    wrapper.refresh(1),
    wrapper.refresh(4),
    wrapper.prime([5], Promise.reject(new Error('no value'))),
    wrapper.prime([6], 6),
    wrapper.prime([() => undefined] as never, 6),
    wrapper.delete(4),
    wrapper.delete(4),
    wrapper.clear(),
    wrapper.has(4),
    wrapper.peek(4),
    wrapper(5),
  ];
  controller.abort();
  await Promise.allSettled(all);
  // `fn` may never settle.
  await wrapper.settled(20);
  for (const operation of store.hung) operation.fail();
  // `fn` may never settle.
  await wrapper.settled(20);
}
