import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from '../lib/index.js';
import type { Entry, Memoized, MemoizeEvent } from '../lib/index.js';
import { createSource, deferred, flush } from './support/call-recorder.js';

type Load = (id: number, signal?: AbortSignal) => Promise<string>;
type Loader = Memoized<Load>;

/** A `Map` that answers later, like a store across a network. */
class SlowMap extends Map<string, Entry<string>> {
  override get(key: string): never {
    return Promise.resolve(super.get(key)) as never;
  }
  override set(key: string, entry: Entry<string>): never {
    return Promise.resolve(super.set(key, entry)) as never;
  }
  override delete(key: string): never {
    return Promise.resolve(super.delete(key)) as never;
  }
}

const stores = [
  ['a synchronous store', (): Map<string, Entry<string>> => new Map()],
  ['an asynchronous store', (): Map<string, Entry<string>> => new SlowMap()],
] as const;

/** A loader whose listener does `act` once, at the first event of `type`. */
function reacting(
  type: MemoizeEvent['type'],
  act: (loader: Loader, event: MemoizeEvent) => void,
  options: { fn: Load; cache: Map<string, Entry<string>>; ttl?: number; staleIfError?: number },
): Loader {
  let isDone = false;
  const { fn, ...rest } = options;
  const loader: Loader = memoizeAsync(fn, {
    ...rest,
    name: 'load',
    onEvent: (event) => {
      if (isDone || event.type !== type) return;
      isDone = true;
      act(loader, event);
    },
  });
  return loader;
}

afterEach(() => void jest.useRealTimers());

describe.each(stores)('memoizeAsync on %s, called from within', (_name, createStore) => {
  it('keeps the run for its first caller when a joiner comes and leaves while `fn` starts', async () => {
    const joiner = new AbortController();
    const left: Promise<unknown>[] = [];
    const load: Loader = memoizeAsync(
      async (_id: number, _signal?: AbortSignal): Promise<string> => {
        left.push(load(1, joiner.signal).catch((error: unknown) => error));
        joiner.abort('joiner left');
        return 'value';
      },
      { cache: createStore(), name: 'load', ignore: [1] },
    );
    await expect(load(1)).resolves.toBe('value');
    await expect(load(1, new AbortController().signal)).resolves.toBe('value');
    await expect(Promise.all(left)).resolves.toEqual(['joiner left']);
    await load.settled();
    expect(load.stats()).toMatchObject({ misses: 1, joins: 1, hits: 1, aborts: 1, inFlight: 0 });
  });

  it('keeps a refresh for who asked for it when a joiner comes and leaves while `fn` starts', async () => {
    const joiner = new AbortController();
    const left: Promise<unknown>[] = [];
    const load: Loader = memoizeAsync(
      async (_id: number, _signal?: AbortSignal): Promise<string> => {
        left.push(load.refresh(1, joiner.signal).catch((error: unknown) => error));
        joiner.abort('joiner left');
        return 'value';
      },
      { cache: createStore(), name: 'load' },
    );
    await expect(load.refresh(1, new AbortController().signal)).resolves.toBe('value');
    await expect(Promise.all(left)).resolves.toEqual(['joiner left']);
    await load.settled();
  });

  it('keeps a run for a joiner whose `join` event makes all others leave', async () => {
    const first = new AbortController();
    const source = createSource<[number, AbortSignal?]>();
    const load = reacting('join', () => first.abort('first left'), { fn: source.fn, cache: createStore() });
    const firstAnswer = load(1, first.signal).catch((error: unknown) => error);
    await flush();
    const second = load(1);
    source.runs[0]!.resolve('value');
    await expect(second).resolves.toBe('value');
    await expect(firstAnswer).resolves.toBe('first left');
    expect(source.runs).toHaveLength(1);
  });

  it('keeps a refresh for a call whose `join` event makes who asked for it leave', async () => {
    const refresher = new AbortController();
    const source = createSource<[number, AbortSignal?]>();
    const load = reacting('join', () => refresher.abort('refresher left'), { fn: source.fn, cache: createStore() });
    const refreshed = load.refresh(1, refresher.signal).catch((error: unknown) => error);
    const called = load(1);
    await flush();
    await expect(refreshed).resolves.toBe('refresher left');
    expect(source.runs).toHaveLength(1);
    expect(source.calls[0]![1]!.aborted).toBe(false);
    source.runs[0]!.resolve('value');
    await expect(called).resolves.toBe('value');
    await load.settled();
    expect(load.stats()).toMatchObject({ joins: 1, misses: 0, runs: 1, aborts: 1, inFlight: 0 });
  });

  it('lets a caller leave from its own `miss` event', async () => {
    const caller = new AbortController();
    const source = createSource<[number, AbortSignal?]>();
    const load = reacting('miss', () => caller.abort('left'), { fn: source.fn, cache: createStore() });
    await expect(load(1, caller.signal)).rejects.toBe('left');
    source.runs[0]?.resolve('dropped');
    await load.settled();
    const next = load(1);
    await flush();
    source.runs.at(-1)!.resolve('next');
    await expect(next).resolves.toBe('next');
    await load.settled();
    expect(load.stats()).toMatchObject({ misses: 2, aborts: 1, inFlight: 0 });
  });

  it('lets a caller leave from its own `hit` event', async () => {
    const caller = new AbortController();
    const load = reacting('hit', () => caller.abort('left'), { fn: async () => 'value', cache: createStore() });
    await load(1);
    await load.settled();
    const outcome = await load(1, caller.signal).catch((error: unknown) => error);
    expect(['value', 'left']).toContain(outcome);
    await load.settled();
    expect(load.stats()).toMatchObject({ misses: 1, hits: 1, joins: 0 });
    await expect(load(1)).resolves.toBe('value');
    await load.settled();
  });

  it.each(['delete', 'clear'] as const)('starts a new run for a call after a %s in a `hit` event', async (control) => {
    const source = createSource<[number, AbortSignal?]>();
    const later: Promise<string>[] = [];
    const load = reacting(
      'hit',
      (loader) => {
        void (control === 'delete' ? loader.delete(1) : loader.clear());
        later.push(loader(1));
      },
      { fn: source.fn, cache: createStore() },
    );
    const first = load(1);
    await flush();
    source.runs[0]!.resolve('old');
    await first;
    await load.settled();
    await expect(load(1)).resolves.toBe('old');
    await flush();
    expect(source.runs).toHaveLength(2);
    source.runs[1]!.resolve('new');
    await expect(later[0]).resolves.toBe('new');
    await expect(load(1)).resolves.toBe('new');
  });

  it('never writes over what was primed in a `miss` event, after a delete', async () => {
    const source = createSource<[number, AbortSignal?]>();
    const load = reacting('miss', (loader) => void loader.prime([1], 'primed'), {
      fn: source.fn,
      cache: createStore(),
    });
    const first = load(1);
    await flush();
    await load.delete(1);
    for (const run of source.runs) run.resolve('old');
    await expect(first).resolves.toMatch(/old|primed/);
    await load.settled();
    expect(await load.has(1)).toBe(false);
  });

  const controls = {
    delete: (loader: Loader) => loader.delete(1),
    clear: (loader: Loader) => loader.clear(),
    prime: (loader: Loader) => loader.prime([1], 'primed'),
    refresh: (loader: Loader) => loader.refresh(1),
    call: (loader: Loader) => loader(1),
    peek: (loader: Loader) => loader.peek(1),
  };
  const types = [
    'hit',
    'stale',
    'join',
    'miss',
    'run',
    'fallback',
    'discard',
    'timeout',
    'abort',
    'store-error',
  ] as const;
  const cases = types.flatMap((type) =>
    Object.keys(controls).map((control) => [type, control as keyof typeof controls] as const),
  );

  it.each(cases)('stays sound when a `%s` listener calls %s', async (type, control) => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
    let isDown = false;
    const heard = new Set<string>();
    const inner: Promise<unknown>[] = [];
    const load: Loader = memoizeAsync(
      async (id: number, _signal?: AbortSignal): Promise<string> => {
        if (isDown) throw new Error('down');
        return id === 2 ? deferred<string>().promise : `value of ${id}`;
      },
      {
        cache: createStore(),
        name: 'load',
        ttl: (_value, id) => (id === 4 ? NaN : 20),
        staleWhileRevalidate: 20,
        staleIfError: 100,
        timeout: 30,
        onEvent: (event) => {
          if (event.type !== type || heard.has(type)) return;
          heard.add(type);
          inner.push(controls[control](load).catch((error: unknown) => error));
        },
      },
    );
    const leaver = new AbortController();
    const left = load(3, leaver.signal);
    leaver.abort('left');
    await expect(left).rejects.toBe('left');
    const hung = expect(load(2)).rejects.toThrow(TimeoutError);
    await Promise.all([load(1), load(1)]);
    await load(1);
    await jest.advanceTimersByTimeAsync(25);
    await load(1);
    await jest.advanceTimersByTimeAsync(45);
    await hung;
    isDown = true;
    await load(1).catch((error: unknown) => error);
    isDown = false;
    const refreshed = load.refresh(1);
    await load.delete(1);
    await refreshed;
    await load(4);
    await Promise.all(inner);
    await flush();
    // The function never settles for one of the calls.
    await Promise.all([load.settled(1), jest.advanceTimersByTimeAsync(1)]);

    expect([...heard]).toEqual([type]);
    const { hits, stale, joins, misses, inFlight } = load.stats();
    expect(inFlight).toBe(0);
    expect(hits + stale + joins + misses).toBe(8 + (control === 'call' ? 1 : 0));
  });
});
