import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, UnkeyableArgumentError } from 'aiocachetools';
import { createSource, flush } from './support/call-recorder.js';
import type { Entry } from 'aiocachetools';

afterEach(() => {
  jest.useRealTimers();
});

const refuseAll: ProxyHandler<object> = {
  get: fail,
  has: fail,
  ownKeys: fail,
  getPrototypeOf: fail,
  getOwnPropertyDescriptor: fail,
};

/** Everything that can be passed and that fights back. */
const arguments_: [string, () => unknown][] = [
  ['a getter that throws', () => Object.defineProperty({}, 'id', { get: fail, enumerable: true })],
  ['a getter of `signal` that throws', () => Object.defineProperty({}, 'signal', { get: fail, enumerable: true })],
  ['a getter of `then` that throws', () => Object.defineProperty({}, 'then', { get: fail, enumerable: true })],
  ['a getter of its tag that throws', () => Object.defineProperty({}, Symbol.toStringTag, { get: fail })],
  ['a proxy that refuses to be read', () => new Proxy({}, { get: fail, ownKeys: fail })],
  ['a proxy that refuses to list its keys', () => new Proxy({}, { ownKeys: fail })],
  ['a proxy that refuses to tell its prototype', () => new Proxy({}, { getPrototypeOf: fail })],
  ['a proxy that refuses everything', () => new Proxy({}, refuseAll)],
  ['a proxy of a list that refuses everything', () => new Proxy([], refuseAll)],
  ['a proxy of a function', () => new Proxy(() => undefined, refuseAll)],
  ['a revoked proxy', revoked],
  ['a revoked proxy in a list', () => [revoked()]],
  ['a list that throws when it is read', () => Object.defineProperty([1], 0, { get: fail })],
  ['a Map whose iterator throws', () => Object.assign(new Map([[1, 2]]), { [Symbol.iterator]: fail })],
  ['a Date that cannot tell its time', () => Object.assign(new Date(0), { getTime: fail, valueOf: fail })],
  ['a toJSON that throws', () => ({ toJSON: fail })],
  ['a valueOf that throws', () => ({ valueOf: fail, toString: fail })],
  ['an aborted signal that is none', () => ({ aborted: true, reason: 'no', addEventListener: fail })],
  ['an impostor of a signal', () => ({ [Symbol.toStringTag]: 'AbortSignal', aborted: false, addEventListener: fail })],
  ['a class instance', () => new (class Secret {})()],
  ['a generator', () => (function* () {})()],
  ['a symbol', () => Symbol('id')],
];

describe('a call with hostile arguments', () => {
  it.each(arguments_)('is never a synchronous throw: %s', async (_, make) => {
    const seen: unknown[] = [];
    const echo = memoizeAsync(async (value: unknown) => void seen.push(value));
    const plain = memoizeAsync((value: unknown) => void seen.push(value));
    const keyed = memoizeAsync(async (value: unknown) => void seen.push(value), { keyOf: (value) => value });
    for (const wrapper of [echo, plain, keyed]) {
      const outcomes = await outcomesOf(() => [wrapper(make()), wrapper({ nested: make() }), wrapper([make()])]);
      for (const outcome of outcomes) expect(['fulfilled', 'rejected']).toContain(outcome.status);
      const { inFlight, runs, errors } = wrapper.stats();
      expect({ inFlight, errors }).toEqual({ inFlight: 0, errors: 0 });
      expect(runs).toBe(outcomes.filter(({ status }) => status === 'fulfilled').length);
      // What is refused leaves nothing behind and hurts nobody.
      await wrapper('sound');
      expect(await wrapper.has('sound')).toBe(true);
    }
  });

  it.each([10_000, 40_000, 70_000, 90_000])('is never a synchronous throw: %d arguments', async (length) => {
    const count = memoizeAsync(async (...values: number[]) => values.length, { name: 'count' });
    const values = Array<number>(length).fill(1);
    const [outcome] = await outcomesOf(() => [count(...values)]);
    // So many fit on the stack once, but perhaps not a second time.
    expect([length, 'RangeError']).toContain(
      outcome!.status === 'fulfilled' ? outcome!.value : (outcome!.reason as Error).name,
    );
  });

  it.each(arguments_)('does not look at what it leaves out: %s', async (_, make) => {
    const echo = memoizeAsync(async (id: number, _value: unknown) => id, { keyOf: (id) => id });
    const hostile = make();
    const outcome = await outcomesOf(() => [echo(7, hostile)]);
    // Only the search for signals looks, and only there may it fail, as a rejection before the run.
    if (outcome[0]!.status === 'rejected') expect(echo.stats().runs).toBe(0);
    else expect(outcome[0]).toEqual({ status: 'fulfilled', value: 7 });
  });

  it.each([
    ['a million deep', () => nest(1_000_000)],
    ['endless', endless],
    ['a DAG of 2 ** 60 paths', dag],
    ['a hundred thousand lists long', () => Array.from({ length: 100_001 }, () => [])],
  ])('is refused where it is %s, without running', async (_, make) => {
    const echo = memoizeAsync(async (value: unknown) => value);
    await expect(echo(make())).rejects.toThrow(UnkeyableArgumentError);
    expect(echo.stats().runs).toBe(0);
  });

  it('cannot be told that of another: what looks alike is another call', async () => {
    const echo = memoizeAsync(async (...args: unknown[]) => args);
    const lists: unknown[][] = [
      ['a', 'b'],
      ['a,b'],
      ['a', undefined, 'b'],
      [['a', 'b']],
      [{ 0: 'a', 1: 'b' }],
      ['"a","b"'],
      ['$a'],
      ['#7'],
      [7],
      ['()'],
      [],
      [[undefined]],
      [null],
      ['__proto__'],
      [JSON.parse('{"__proto__":1}')],
      [{}],
      [Object.create(null)],
    ];
    for (const list of lists) expect(await echo(...list)).toEqual(list);
    for (const list of lists) expect(await echo(...list)).toStrictEqual(list);
    expect(new Set(lists.map((list) => echo.keyOf(...list))).size).toBe(lists.length);
  });
});

describe('a call with a signal of the caller’s own making', () => {
  class Signal {
    aborted = false;
    reason: unknown = new Error('left');
    readonly listeners: (() => void)[] = [];

    get [Symbol.toStringTag](): string {
      return 'AbortSignal';
    }

    addEventListener(_type: string, listener: () => void): void {
      this.listeners.push(listener);
    }

    removeEventListener(): void {}

    abort(): void {
      this.aborted = true;
      for (const listener of this.listeners) listener();
    }
  }

  const signals: [string, () => Signal][] = [
    ['keeps its listeners', () => new Signal()],
    ['throws when a listener is added', () => Object.assign(new Signal(), { addEventListener: fail })],
    ['throws when a listener is removed', () => Object.assign(new Signal(), { removeEventListener: fail })],
    ['throws when it is asked for its reason', () => Object.defineProperty(new Signal(), 'reason', { get: fail })],
    ['calls its listener at once', () => Object.assign(new Signal(), { addEventListener: call })],
  ];

  it.each(signals)('that %s settles, and hurts nobody else', async (_, make) => {
    for (const abort of [false, true]) {
      const { fn, runs } = createSource<[id: number, signal?: unknown]>();
      const getUser = memoizeAsync(fn);
      const signal = make();
      const theirs = getUser(7, signal).then(
        () => 'answered',
        () => 'rejected',
      );
      const other = getUser(7);
      if (abort) expect(() => signal.abort()).not.toThrow();
      // One that leaves at once, while nobody else is interested, ends its run; the other call begins one of its own.
      for (const run of runs) run.resolve('Ada');
      expect(await other).toBe('Ada');
      expect(['answered', 'rejected']).toContain(await theirs);
      expect(await getUser(7)).toBe('Ada');
      expect(getUser.stats().inFlight).toBe(0);
    }
  });

  it('that leaves does so with its reason, or with what kept it from it', async () => {
    const { fn } = createSource<[id: number, signal?: unknown]>();
    const getUser = memoizeAsync(fn);
    const sound = new Signal();
    const odd = Object.defineProperty(new Signal(), 'reason', { get: fail });
    const answers = [
      expect(getUser(7, sound)).rejects.toThrow('left'),
      expect(getUser(8, odd)).rejects.toThrow('trapped'),
    ];
    sound.abort();
    odd.abort();
    await Promise.all(answers);
    expect(getUser.stats()).toMatchObject({ aborts: 2, inFlight: 0 });
  });
});

describe('a call whose options fight back', () => {
  const cases: [string, (this: void) => (id: number) => Promise<unknown>][] = [
    ['a keyOf that throws', () => memoizeAsync(async (id: number) => id, { keyOf: fail })],
    ['a keyOf that gives a function', () => memoizeAsync(async (id: number) => id, { keyOf: () => fail })],
    ['a keyOf that gives a promise', () => memoizeAsync(async (id: number) => id, { keyOf: async () => 1 })],
    ['a predicate that throws', () => memoizeAsync(async (id: number) => id, { ignore: [() => fail()] })],
    ['a selector that throws', () => memoizeAsync(async (id: number) => id, { cache: () => fail() })],
    [
      'a selector that gives nothing',
      () => memoizeAsync(async (id: number) => id, { cache: (() => undefined) as never }),
    ],
    ['a selector that gives no store', () => memoizeAsync(async (id: number) => id, { cache: (() => ({})) as never })],
    [
      'a selector that gives a promise',
      () => memoizeAsync(async (id: number) => id, { cache: (async () => new Map()) as never }),
    ],
    [
      'a selector of a proxy',
      () => memoizeAsync(async (id: number) => id, { cache: (() => new Proxy({}, refuseAll)) as never }),
    ],
  ];

  it.each(cases)('rejects before the run: %s', async (_, make) => {
    const fn = make();
    const [outcome] = await outcomesOf(() => [fn(7)]);
    expect(outcome!.status).toBe('rejected');
    expect((fn as unknown as { stats(): { runs: number } }).stats().runs).toBe(0);
  });

  it('says what a selector must give', async () => {
    const fn = memoizeAsync(async (id: number) => id, { cache: (() => 'redis') as never });
    await expect(fn(7)).rejects.toThrow(
      new TypeError('Expected `cache` to pick a store with get, set and delete, or null, got "redis"'),
    );
  });

  it('takes no answer of a predicate but `true` for a yes', async () => {
    for (const answer of [1, 'yes', {}, Promise.resolve(true)]) {
      const fn = memoizeAsync(async (id: number) => id, { ignore: [(() => answer) as never] });
      expect([await fn(1), await fn(2)]).toEqual([1, 2]);
    }
  });
});

describe('a function whose results fight back', () => {
  const results: [string, () => unknown, unknown][] = [
    ['a thenable', () => ({ then: (done: (value: number) => void) => done(5) }), 5],
    ['a thenable of a thenable', () => ({ then: (done: (value: unknown) => void) => done(Promise.resolve(5)) }), 5],
    ['a thenable that resolves twice', () => ({ then: (done: (value: number) => void) => (done(5), done(6)) }), 5],
    ['a thenable that resolves and throws', () => ({ then: (done: (value: number) => void) => (done(5), fail()) }), 5],
    ['a promise with a `then` of its own', () => Object.assign(Promise.resolve(5), { then: fail }), 5],
    ['a promise of another class', () => Other.resolve(5), 5],
  ];

  it.each(results)('is awaited once for all: %s', async (_, make, value) => {
    let runs = 0;
    const fn = memoizeAsync((_signal?: AbortSignal) => {
      runs += 1;
      return make();
    });
    const { signal } = new AbortController();
    const answers = [fn(), fn(signal), fn()];
    expect([await answers[0], await answers[1], await answers[2]]).toEqual([value, value, value]);
    await fn.settled();
    expect(await fn(signal)).toBe(value);
    expect(runs).toBe(1);
  });

  it.each([
    ['a thenable that throws', () => ({ then: fail })],
    ['a thenable that rejects', () => ({ then: (_: unknown, no: (error: Error) => void) => no(new Error('trapped')) })],
    ['a `then` that cannot be looked up', () => Object.defineProperty({}, 'then', { get: fail })],
    [
      'a promise whose constructor cannot be looked up',
      () => Object.defineProperty(Promise.resolve(5), 'constructor', { get: fail }),
    ],
    ['a function that throws', fail],
  ])('is a rejection: %s', async (_, make) => {
    const fn = memoizeAsync((): unknown => make());
    const outcomes = await outcomesOf(() => [fn(), fn()]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: new Error('trapped') },
      { status: 'rejected', reason: new Error('trapped') },
    ]);
    expect(fn.stats()).toMatchObject({ runs: 1, errors: 1, inFlight: 0 });
    expect(await fn.has()).toBe(false);
  });

  it.each([[undefined], [null], [0], ['text'], [Symbol('reason')], [new Proxy({}, refuseAll)]])(
    'rejects with the very reason: %s',
    async (reason) => {
      const fn = memoizeAsync(async (): Promise<void> => raise(reason));
      const [one, two] = await outcomesOf(() => [fn(), fn()]);
      expect((one as PromiseRejectedResult).reason === reason).toBe(true);
      expect((two as PromiseRejectedResult).reason === reason).toBe(true);
    },
  );

  it.each([
    ['a proxy', () => new Proxy({}, { ...refuseAll, get: (_, key) => (key === 'then' ? undefined : fail()) })],
    ['a frozen object', () => Object.freeze({ id: 7 })],
    ['an entry of another', (): Entry<string> => ({ v: 1, value: 'other', storedAt: 0, freshUntil: 1 })],
    ['a function', () => fail],
    ['a symbol', () => Symbol('result')],
  ])('is handed out as it is: %s', async (_, make) => {
    const result: unknown = make();
    for (const options of [{}, { ttl: 1_000 }, { cache: new Map(), ttl: 1_000 }, { cache: new Map() }]) {
      const fn = memoizeAsync(async () => result, options);
      expect((await fn()) === result).toBe(true);
      expect((await fn()) === result).toBe(true);
      expect(fn.stats()).toMatchObject({ runs: 1, hits: 1, storeErrors: 0 });
    }
  });

  it('that never settles holds up only its own key', async () => {
    const fn = memoizeAsync((id: number) => (id === 7 ? new Promise<number>(() => undefined) : Promise.resolve(id)));
    let hasSettled = false;
    void fn(7).then(() => (hasSettled = true));
    expect(await fn(8)).toBe(8);
    await fn.delete(7);
    await fn.clear();
    await flush();
    expect(hasSettled).toBe(false);
  });

  it('that calls itself for another key gets there', async () => {
    const factorial: (n: number) => Promise<number> = memoizeAsync(async (n: number): Promise<number> =>
      n < 2 ? 1 : n * (await factorial(n - 1)),
    );
    expect(await factorial(50)).toBeCloseTo(3.0414093201713376e64, -50);
  });
});

describe('the library', () => {
  it('causes no unhandled rejection, whatever fails', async () => {
    const script = resolve('__tests__/support/unhandled-child.ts');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script]);
    expect({ stdout, stderr }).toEqual({ stdout: 'done\n', stderr: '' });
  }, 60_000);

  it('finds an unhandled rejection where there is one', async () => {
    const script = resolve('__tests__/support/unhandled-child.ts');
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', script, 'cause one']);
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody handles this') as unknown,
    });
  }, 60_000);
});

class Other<T> extends Promise<T> {}

/** The outcomes of calls, none of which may throw. */
async function outcomesOf(call: () => Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> {
  let promises: Promise<unknown>[] = [];
  expect(() => (promises = call())).not.toThrow();
  for (const promise of promises) expect(promise).toBeInstanceOf(Promise);
  return Promise.allSettled(promises);
}

function fail(): never {
  throw new Error('trapped');
}

function call(_type: string, listener: () => void): void {
  listener();
}

function raise(error: unknown): never {
  throw error;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function endless(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function dag(): unknown {
  let value: unknown = 1;
  for (let level = 0; level < 60; level += 1) value = [value, value];
  return value;
}
