import { execFile } from 'node:child_process';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { createChannelOpener, isHeard, publish, traceRun } from '../lib/tracing.js';
import { createSource, deferred, flush, listen } from './support/call-recorder.js';
import { describeWith, thirdParty } from './support/private-server.js';
import { SnippetFiles, snippetsOf } from './support/snippets.js';
import type { Snippet } from './support/snippets.js';

interface RunMessage {
  readonly name: string;
  readonly key: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const runs = tracingChannel<unknown, RunMessage>('aiocachetools:run');
const calls = channel('aiocachetools:call');

/** What ends what a test has begun. */
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
  jest.useRealTimers();
});

/** What the run channels bring, in order. */
function recordRuns(events: string[] = [], wanted: readonly (typeof parts)[number][] = parts) {
  const messages: RunMessage[] = [];
  for (const part of wanted) {
    const subscriber = (message: unknown): void => {
      events.push(part);
      messages.push(message as RunMessage);
    };
    runs[part].subscribe(subscriber);
    endings.push(() => runs[part].unsubscribe(subscriber));
  }
  return { events, messages };
}

function recordCalls(): unknown[] {
  const messages: unknown[] = [];
  const subscriber = (message: unknown): void => void messages.push(message);
  calls.subscribe(subscriber);
  endings.push(() => calls.unsubscribe(subscriber));
  return messages;
}

/** Gives `start` a value for `storage` from now on. */
function bindStart<T>(storage: AsyncLocalStorage<T>, valueOf: (message: RunMessage) => T): void {
  const store = storage as AsyncLocalStorage<unknown>;
  runs.start.bindStore(store, valueOf);
  endings.push(() => runs.start.unbindStore(store));
}

class Thenable {
  constructor(readonly settle: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void) {}
  then(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    this.settle(resolve, reject);
  }
}

const failure = new Error('no such user');
const user = { id: 7 };
const fail = (): never => {
  throw failure;
};

describe('the channel aiocachetools:run', () => {
  const fulfilled = ['start', 'fn', 'end', 'asyncStart', 'asyncEnd', 'told'];
  const rejected = ['start', 'fn', 'end', 'error', 'asyncStart', 'asyncEnd', 'told'];
  const thrown = ['start', 'fn', 'error', 'end', 'told'];

  it.each<[what: string, fn: () => unknown, events: string[], outcome: object]>([
    ['fulfils', async () => user, fulfilled, { result: user }],
    ['rejects', async () => fail(), rejected, { error: failure }],
    ['throws', fail, thrown, { error: failure }],
    ['rejects with nothing', () => Promise.reject(undefined), rejected, { error: undefined }],
    ['returns a plain value', () => user, fulfilled, { result: user }],
    ['returns a thenable', () => new Thenable((settle) => settle(user)), fulfilled, { result: user }],
    [
      'returns a thenable that rejects',
      () => new Thenable((_, reject) => reject(failure)),
      rejected,
      { error: failure },
    ],
    ['returns a thenable that throws', () => new Thenable(fail), rejected, { error: failure }],
  ])('publishes the events of a run that %s, in order, with one object', async (_, fn, expected, outcome) => {
    const { events, messages } = recordRuns();
    const getUser = memoizeAsync((_id: number) => (events.push('fn'), fn()), { name: 'getUser' });
    const told = await getUser(7).then(
      (result) => (events.push('told'), { result }),
      (error: unknown) => (events.push('told'), { error }),
    );
    expect(events).toEqual(expected);
    expect(told).toEqual(outcome);
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toEqual({ name: 'getUser', key: '#7', ...outcome });
    // The very value and the very error.
    for (const [name, value] of Object.entries(outcome)) {
      expect(Reflect.get(told, name)).toBe(value);
      expect(Reflect.get(messages[0]!, name)).toBe(value);
    }
  });

  it.each<[what: string, fn: () => Promise<unknown>]>([
    ['fulfils', async () => user],
    ['rejects', async () => fail()],
    ['throws', fail],
  ])('publishes what `tracePromise` of Node publishes where `fn` %s', async (_, fn) => {
    const { events, messages } = recordRuns();
    const context = { name: 'getUser', key: '#7' };
    await Promise.allSettled([(async () => runs.tracePromise(fn, context))()]);
    const [ofNode, lastOfNode] = [events.splice(0), messages.splice(0).at(-1)];
    await Promise.allSettled([memoizeAsync((_id: number) => fn(), { name: 'getUser' })(7)]);
    expect(events).toEqual(ofNode);
    expect(messages.at(-1)).toEqual(lastOfNode);
  });

  it('has one run for concurrent calls, and none for a hit, a `prime` or a key that is refused', async () => {
    const { events } = recordRuns();
    const getUser = memoizeAsync(async (id: unknown) => id, { name: 'getUser' });
    await Promise.all([getUser(1), getUser(1)]);
    expect(events.splice(0)).toHaveLength(4);
    await getUser(1);
    await getUser.prime([2], 2);
    await getUser(() => 1).catch(() => undefined);
    expect(events).toEqual([]);
  });

  it('has the runs of `refresh`, also of one that fails', async () => {
    const { events, messages } = recordRuns();
    const { fn, runs: started } = createSource();
    const getUser = memoizeAsync(fn, { name: 'getUser' });
    const refreshed = [getUser.refresh(7), getUser.refresh(7)];
    started[0]!.resolve('Ada');
    expect(await Promise.all(refreshed)).toEqual(['Ada', 'Ada']);
    expect(events.splice(0)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(messages.at(-1)).toMatchObject({ key: '#7', result: 'Ada' });
    const failed = getUser.refresh(7);
    started[1]!.reject(failure);
    await expect(failed).rejects.toBe(failure);
    expect(events).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  });

  it.each(['fulfils', 'rejects'] as const)('has a run in the background that %s', async (outcome) => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
    const { events } = recordRuns();
    const { fn, runs: started } = createSource();
    const getUser = memoizeAsync(fn, { name: 'getUser', ttl: 10, staleWhileRevalidate: 100 });
    const first = getUser(7);
    started[0]!.resolve('Ada');
    await first;
    events.length = 0;
    jest.advanceTimersByTime(50);
    expect(await getUser(7)).toBe('Ada');
    expect(events).toEqual(['start', 'end']);
    if (outcome === 'fulfils') started[1]!.resolve('Grace');
    else started[1]!.reject(failure);
    await flush();
    const error = outcome === 'rejects' ? ['error'] : [];
    expect(events).toEqual(['start', 'end', ...error, 'asyncStart', 'asyncEnd']);
  });

  it('ends when `fn` settles, also where it has timed out before', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
    const { events } = recordRuns();
    const gate = deferred<string>();
    const getUser = memoizeAsync(() => gate.promise, { name: 'getUser', timeout: 50 });
    const call = expect(getUser()).rejects.toThrow('did not settle');
    await jest.advanceTimersByTimeAsync(50);
    await call;
    expect(events).toEqual(['start', 'end']);
    gate.resolve('late');
    await flush();
    expect(events).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
  });

  it.each(parts)('needs no other subscriber than one of `%s`', async (part) => {
    const { events } = recordRuns([], [part]);
    await expect(memoizeAsync(async () => fail(), { name: 'getUser' })()).rejects.toBe(failure);
    expect(events).toEqual([part]);
  });

  it('leaves `this`, arguments, results and events as they are without a subscriber', async () => {
    const outcomes: unknown[] = [];
    for (const isTraced of [false, true]) {
      if (isTraced) recordRuns();
      const { events, onEvent } = listen();
      const seen: unknown[] = [];
      const load = memoizeAsync(
        function (this: unknown, ...args: [id: number, options: { signal?: AbortSignal }]) {
          seen.push(this, args[0], args[1].signal instanceof AbortSignal);
          return args[0] === 2 ? fail() : args[0];
        },
        { name: 'load', onEvent },
      );
      const { signal } = new AbortController();
      const settled = await Promise.allSettled([1, 1, 2].map((id) => load.call(user, id, { signal })));
      outcomes.push({
        settled,
        seen,
        events: events.map((event) => ({ ...event, duration: undefined })),
        stats: load.stats(),
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect((outcomes[1] as { seen: unknown[] }).seen[0]).toBe(user);
  });

  it('takes as many turns as without a subscriber', async () => {
    const turns: number[] = [];
    for (const isTraced of [false, true]) {
      if (isTraced) recordRuns();
      for (const fn of [async () => 1, () => 1, () => new Thenable((settle) => settle(1)), async () => fail(), fail]) {
        let isSettled = false;
        const settle = (): void => void (isSettled = true);
        void memoizeAsync(fn as () => unknown, { name: 'load' })().then(settle, settle);
        let turn = 0;
        for (; !isSettled && turn < 50; turn += 1) await Promise.resolve();
        turns.push(turn);
      }
    }
    expect(turns.slice(5)).toEqual(turns.slice(0, 5));
    expect(Math.max(...turns)).toBeLessThan(50);
  });

  it('lets a subscriber call the wrapper and its controls', async () => {
    const joined: Promise<unknown>[] = [];
    const load = memoizeAsync(async (id: number) => id, { name: 'load' });
    const rejoin = (): void => void joined.push(load(7));
    const forget = (): void => void load.delete(7);
    runs.start.subscribe(rejoin);
    runs.asyncStart.subscribe(forget);
    endings.push(
      () => runs.start.unsubscribe(rejoin),
      () => runs.asyncStart.unsubscribe(forget),
    );
    expect(await load(7)).toBe(7);
    expect(await Promise.all(joined)).toEqual([7]);
    expect(load.stats()).toMatchObject({ runs: 1, joins: 1, discards: 1, inFlight: 0 });
    expect(await load.has(7)).toBe(false);
  });
});

describe('a store that is bound to `start`', () => {
  it('holds inside `fn`, from its first line to its last, and nowhere else', async () => {
    const span = new AsyncLocalStorage<string>();
    bindStart(span, ({ name, key }) => `${span.getStore() ?? 'nothing'} > ${name} ${key}`);
    const seen: [where: string, span: string | undefined][] = [];
    const see = (where: string): void => void seen.push([where, span.getStore()]);
    const getTeam = memoizeAsync(async (_id: number) => see('team'), { name: 'getTeam' });
    const getUser = memoizeAsync(
      async (id: number) => {
        see('begin');
        await Promise.resolve();
        await getTeam(id + 1);
        see('end');
      },
      { name: 'getUser', ttl: () => (see('ttl'), 1_000), onEvent: ({ type }) => see(type) },
    );
    await span.run('request', async () => {
      await getUser(1);
      see('caller');
    });
    expect(seen).toEqual([
      ['miss', 'request'],
      ['begin', 'request > getUser #1'],
      ['team', 'request > getUser #1 > getTeam #2'],
      ['end', 'request > getUser #1'],
      ['ttl', 'request'],
      ['run', 'request'],
      ['caller', 'request'],
    ]);
  });

  it('holds where a lazy thenable begins its work, and in what follows the run', async () => {
    const span = new AsyncLocalStorage<string>();
    bindStart(span, ({ name }) => name);
    const seen: (string | undefined)[] = [];
    const see = (): void => void seen.push(span.getStore());
    runs.asyncEnd.subscribe(see);
    endings.push(() => runs.asyncEnd.unsubscribe(see));
    const query = memoizeAsync(() => new Thenable((settle) => (see(), settle(1))), { name: 'query' });
    expect(await query()).toBe(1);
    expect(seen).toEqual(['query', 'query']);
  });

  it.each(['later', 'refreshed'] as const)(
    'is entered from the context of the call that caused the run: %s',
    async (how) => {
      const span = new AsyncLocalStorage<string>();
      bindStart(span, ({ key }) => `${span.getStore()} > ${key}`);
      const entries = new Map<string, never>();
      const cache = {
        get: async (key: string) => entries.get(key),
        set: async () => undefined,
        delete: async () => true,
      };
      const load = memoizeAsync(async (_id: number) => span.getStore(), { name: 'load', cache });
      const run = (id: number) => (how === 'later' ? load(id) : load.refresh(id));
      const [one, two] = [span.run('one', () => run(1)), span.run('two', () => run(2))];
      expect(await Promise.all([one, two])).toEqual(['one > #1', 'two > #2']);
    },
  );

  it('leaves `detectRecursion` at work', async () => {
    recordRuns();
    const span = new AsyncLocalStorage<string>();
    bindStart(span, ({ key }) => key);
    const spans: unknown[] = [];
    const load: (id: number) => Promise<number> = memoizeAsync(
      async (id) => {
        await Promise.resolve();
        spans.push(span.getStore());
        return load(3 - id);
      },
      { name: 'load', detectRecursion: true },
    );
    await expect(load(1)).rejects.toThrow('load: this call would wait for itself, by way of #1 → #2 → #1');
    expect(spans).toEqual(['#1', '#2']);
  });
});

describe('the channel aiocachetools:call', () => {
  it('says how each call was received', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
    const messages = recordCalls();
    let isDown = false;
    const getUser = memoizeAsync(async (id: number) => (isDown ? fail() : id), {
      name: 'getUser',
      ttl: 10,
      staleWhileRevalidate: 100,
      errorTtl: 1_000,
    });
    const of = (type: string, key = '#7') => ({ name: 'getUser', key, type });

    await Promise.all([getUser(7), getUser(7)]);
    await getUser(7);
    expect(messages.splice(0)).toEqual([of('miss'), of('join'), of('hit')]);

    jest.advanceTimersByTime(50);
    await getUser(7);
    expect(messages.splice(0)).toEqual([of('stale')]);

    isDown = true;
    await Promise.allSettled([getUser(8)]);
    await Promise.allSettled([getUser(8)]);
    expect(messages.splice(0)).toEqual([of('miss', '#8'), of('hit', '#8')]);

    await getUser.has(7);
    await getUser.peek(7);
    await getUser.delete(7);
    await getUser.refresh(7).catch(() => undefined);
    await getUser((() => 1) as never).catch(() => undefined);
    expect(messages).toEqual([]);
  });

  it('brings what `onEvent` brings', async () => {
    const messages = recordCalls();
    const { events, onEvent } = listen();
    const cache = { get: async () => undefined, set: async () => true, delete: async () => true };
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache, onEvent });
    await Promise.all([load(1), load(1), load(2)]);
    await load(1);
    expect(messages).toHaveLength(4);
    expect(messages).toEqual(events.filter(({ type }) => type !== 'run'));
  });
});

describe('where nobody listens', () => {
  it('nothing is published, and a call reads one property of one channel', async () => {
    const touched: string[] = [];
    const channels = { call: calls, ...Object.fromEntries(parts.map((part) => [part, runs[part]])) };
    for (const [name, each] of Object.entries(channels)) {
      for (const method of ['publish', 'runStores'] as const) {
        const recorded = (...args: unknown[]): unknown => {
          touched.push(`${name}.${method}`);
          // A channel has another prototype while it has subscribers.
          const { [method]: original } = Object.getPrototypeOf(each) as Record<string, (...args: unknown[]) => unknown>;
          return original!.apply(each, args);
        };
        Object.defineProperty(each, method, { configurable: true, value: recorded });
        endings.push(() => Reflect.deleteProperty(each, method));
      }
    }
    let reads = 0;
    Object.defineProperty(calls, 'hasSubscribers', { configurable: true, get: () => ((reads += 1), false) });
    endings.push(() => Reflect.deleteProperty(calls, 'hasSubscribers'));

    const load = memoizeAsync(async (id: number) => (id === 1 ? fail() : id), { name: 'load' });
    reads = 0;
    await load(7);
    expect(reads).toBe(1);
    await load(7);
    expect(reads).toBe(2);
    await Promise.allSettled([load(1), load.refresh(7)]);
    expect(touched).toEqual([]);

    // The recorders record.
    Reflect.deleteProperty(calls, 'hasSubscribers');
    recordCalls();
    recordRuns();
    await load(8);
    expect(touched).toEqual([
      'call.publish',
      'start.runStores',
      'start.publish',
      'end.publish',
      'asyncStart.publish',
      'asyncEnd.publish',
    ]);
  });
});

describe('subscribers that throw', () => {
  it('change no outcome, and Node reports them', async () => {
    const script = resolve('__tests__/support/tracing-child.ts');
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      outcomes: ['7', '7', 'no such user', 'thrown', '7', '9'],
      stats: { runs: 4, misses: 3, joins: 1, hits: 1, errors: 2, inFlight: 0 },
      uncaught: ['asyncEnd', 'asyncStart', 'call', 'end', 'error', 'start', 'transform'],
    });
  }, 60_000);
});

/** A channel of a host that is not Node. */
class FakeChannel {
  hasSubscribers = false;
  readonly published: object[] = [];
  publish(message: object): void {
    this.published.push({ ...message });
  }
  runStores(message: object, fn: () => unknown): unknown {
    this.publish(message);
    return fn();
  }
}

class FakeHost {
  readonly calls = new FakeChannel();
  readonly runs: Record<(typeof parts)[number], FakeChannel> & { hasSubscribers?: boolean } = {
    start: new FakeChannel(),
    end: new FakeChannel(),
    asyncStart: new FakeChannel(),
    asyncEnd: new FakeChannel(),
    error: new FakeChannel(),
  };
  lookups = 0;
  readonly process = {
    getBuiltinModule: (name: string): unknown => {
      this.lookups += 1;
      if (name !== 'node:diagnostics_channel') return undefined;
      return { channel: () => this.calls, tracingChannel: () => this.runs };
    },
  };
}

describe('createChannelOpener', () => {
  it('looks for the channels once, when the first wrapper is made', () => {
    const host = new FakeHost();
    const open = createChannelOpener(host);
    expect(host.lookups).toBe(0);
    expect(open()).toEqual({ calls: host.calls, runs: host.runs });
    expect(open()).toBe(open());
    expect(host.lookups).toBe(1);
  });

  it.each<[what: string, host: object]>([
    ['has no `process`', {}],
    ['has no `getBuiltinModule`, as an older Node', { process: {} }],
    ['does not know the module', { process: { getBuiltinModule: () => undefined } }],
    ['has half of the module', { process: { getBuiltinModule: () => ({ channel: () => new FakeChannel() }) } }],
    ['throws', { process: { getBuiltinModule: fail } }],
    ['throws at the channel', { process: { getBuiltinModule: () => ({ channel: fail, tracingChannel: fail }) } }],
    [
      'has mocks that return nothing',
      { process: { getBuiltinModule: () => ({ channel: () => undefined, tracingChannel: () => undefined }) } },
    ],
    [
      'has mocks that return empty objects',
      { process: { getBuiltinModule: () => ({ channel: () => ({}), tracingChannel: () => ({}) }) } },
    ],
    ['has a mock of a mock', { process: deepMock() }],
  ])('finds nobody who listens where the host %s', (_, host) => {
    const channels = createChannelOpener(host)();
    expect(channels?.calls?.hasSubscribers === true).toBe(false);
    expect(isHeard(channels?.runs)).toBe(false);
  });

  it('tries again where the host was broken for a while', () => {
    const host: { process: object } = { process: { getBuiltinModule: fail } };
    const open = createChannelOpener(host);
    expect(open()).toBeUndefined();
    host.process = new FakeHost().process;
    expect(open()).toBeDefined();
  });
});

describe('isHeard', () => {
  it.each(parts)('asks the parts of a TracingChannel without `hasSubscribers`, as in Bun and Workers: %s', (part) => {
    const { runs: fake } = new FakeHost();
    expect(isHeard(fake)).toBe(false);
    fake[part].hasSubscribers = true;
    expect(isHeard(fake)).toBe(true);
  });

  it.each([true, false])('asks nothing else where that is %s', (hasSubscribers) => {
    const { runs: fake } = new FakeHost();
    let reads = 0;
    Object.defineProperty(fake, 'hasSubscribers', { get: () => ((reads += 1), hasSubscribers) });
    for (const part of parts) fake[part].hasSubscribers = !hasSubscribers;
    expect(isHeard(fake)).toBe(hasSubscribers);
    expect(reads).toBe(1);
  });
});

/** What is reported as uncaught from now on. */
function recordReports(): (() => void)[] {
  const tasks: (() => void)[] = [];
  const spy = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => void tasks.push(task));
  endings.push(() => spy.mockRestore());
  return tasks;
}

describe('traceRun', () => {
  it.each<[what: string, spoil: (host: FakeHost) => void, reported: number]>([
    ['a `publish` that throws, as in Workers', breakPublish, 4],
    ['a `runStores` that throws before it has called', ({ runs: { start } }) => (start.runStores = fail), 1],
    [
      'a `runStores` that throws after it has called',
      ({ runs: { start } }) => (start.runStores = (_message, fn) => (fn(), fail())),
      1,
    ],
    ['a `runStores` that does not call', ({ runs: { start } }) => (start.runStores = () => undefined), 0],
  ])('calls `fn` once, whatever the host does: %s', async (_, spoil, reported) => {
    const tasks = recordReports();
    const host = new FakeHost();
    spoil(host);
    let count = 0;
    const fn = async (): Promise<number> => (count += 1);
    expect(await traceRun(host.runs, { name: 'load', key: '#7' }, fn)).toBe(1);
    await flush();
    expect(count).toBe(1);
    // Uncaught, as Node reports them.
    expect(tasks).toHaveLength(reported);
    for (const task of tasks) expect(task).toThrow(failure);
  });
});

describe('publish', () => {
  it('passes over a subscriber that throws', () => {
    const tasks = recordReports();
    const host = new FakeHost();
    breakPublish(host);
    publish(host.calls, { name: 'load', key: '#7', type: 'hit' });
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toThrow(failure);
  });
});

function breakPublish(host: FakeHost): void {
  for (const each of [host.calls, ...parts.map((part) => host.runs[part])]) {
    each.publish = fail;
  }
}

/** Whatever is read is a function that returns such an object. */
function deepMock(): object {
  return new Proxy(() => undefined, { get: () => deepMock(), apply: () => deepMock() });
}

describeWith({}, 'the recipe for OpenTelemetry', () => {
  const page = readFileSync('docs/recipes.md', 'utf8');
  const [, recipe = ''] = /^## See runs in your APM\n([\s\S]*?)^## /mu.exec(page)!;
  const [shown] = snippetsOf('docs/recipes.md', recipe).filter(({ code }) => code.includes('@opentelemetry'));
  let files: SnippetFiles;
  beforeAll(() => {
    files = new SnippetFiles([around(shown!)], thirdParty);
  });
  afterAll(() => files.remove());

  it('compiles', () => {
    expect(files.problems()).toEqual([]);
  }, 60_000);

  it('makes a span for each run, between the spans of its call and those inside of `fn`', () => {
    expect(files.run()).toEqual([
      [
        // The second request has joined.
        'request 2',
        'query < run getUser < request 1',
        'run getUser < request 1',
        'request 1',
        'run getUser: no such user',
        'run refuse: refused',
      ],
    ]);
  }, 60_000);
});

/** The recipe in an application that keeps its spans in memory. */
function around({ code, ...snippet }: Snippet): Snippet {
  const before = `
    import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));`;
  const after = `
    const getUser = memoizeAsync(async (id: number) => {
      await Promise.resolve();
      if (id === 404) throw new Error('no such user');
      return tracer.startActiveSpan('query', async (span) => {
        const user = await db.user(id);
        span.end();
        return user.name;
      });
    }, { name: 'getUser' });
    const refuse = memoizeAsync((): never => { throw new Error('refused'); }, { name: 'refuse' });
    await Promise.all([1, 2].map((id) => tracer.startActiveSpan('request ' + id, async (span) => {
      const call = getUser(7);
      if (id === 1) await call;
      span.end();
    })));
    await Promise.allSettled([getUser(404)]);
    await Promise.allSettled([refuse()]);
    const spans = exporter.getFinishedSpans();
    const line = (span: (typeof spans)[number]): string => {
      const parent = spans.find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId);
      const error = span.status.code === SpanStatusCode.ERROR ? ': ' + span.events[0]?.attributes?.['exception.message'] : '';
      return span.name + error + (parent === undefined ? '' : ' < ' + line(parent));
    };
    for (const span of spans) console.log(line(span));`;
  return { ...snippet, language: 'ts', code: `${before.replaceAll('\n', ' ')}${code}${after}` };
}
