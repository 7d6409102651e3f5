/* global AbortController */
/**
 * What the table of peers says, each claim as a check that runs. A check gets `make` of one contender and says whether the
 * claim holds; it gives `undefined` where the claim does not apply to it.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** A function whose runs are counted, with so many declared arguments: some libraries go by them. */
function counted(fn, length = 1) {
  const counting = async (...args) => {
    counting.runs += 1;
    return fn(...args);
  };
  counting.runs = 0;
  return Object.defineProperty(counting, 'length', { value: length });
}

const turn = () => pause(10);

/** Whether two calls are told apart. One that fails is no way of telling. */
async function tellsApart({ make }, one, other) {
  const fn = counted(async () => 'value', one.length);
  const { call } = await make(fn);
  await call(...one);
  await call(...other);
  return fn.runs === 2;
}

async function knowsAgain({ make }, one, other) {
  const fn = counted(async () => 'value');
  const { call } = await make(fn);
  await call(...one);
  await call(...other);
  return fn.runs === 1;
}

async function caches({ make }, value) {
  const fn = counted(async () => value);
  const { call } = await make(fn);
  const answers = [await call('a'), await call('a')];
  return fn.runs === 1 && answers.every((answer) => Object.is(answer, value));
}

const ofArguments = (check) => (contender) => (contender.keys === 'arguments' ? check(contender) : undefined);

const ofStores = (check) => (contender) => (contender.stores === true ? check(contender) : undefined);

export const claims = [
  {
    claim: 'Callers at the same time share one run',
    async check({ make }) {
      const fn = counted(async () => pause(20, 'value'));
      const { call } = await make(fn);
      await Promise.all(Array.from({ length: 10 }, () => call('a')));
      return fn.runs === 1;
    },
  },
  {
    claim: '… also one that fails',
    async check({ make }) {
      const fn = counted(async () => {
        await pause(20);
        throw new Error('no');
      });
      const { call } = await make(fn);
      await Promise.allSettled(Array.from({ length: 10 }, () => call('a')));
      return fn.runs === 1;
    },
  },
  {
    claim: 'They get the very error that was thrown',
    async check({ make }) {
      const error = new Error('no');
      const { call } = await make(async () => {
        await pause(5);
        throw error;
      });
      const outcomes = await Promise.allSettled([call('a'), call('a')]);
      return outcomes.every(({ reason }) => reason === error);
    },
  },
  {
    claim: 'A retry in a `catch` runs anew',
    async check({ make }) {
      const fn = counted(async () => {
        if (fn.runs === 1) throw new Error('no');
        return 'value';
      });
      const { call } = await make(fn);
      return (await call('a').catch(() => call('a'))) === 'value';
    },
  },
  {
    claim: 'A synchronous throw is a rejection',
    async check({ make }) {
      const { call } = await make(() => {
        throw new Error('no');
      });
      let answer;
      try {
        answer = call('a');
      } catch {
        return false;
      }
      return answer.then(
        () => false,
        () => true,
      );
    },
  },
  {
    claim: 'All arguments count',
    check: ofArguments((contender) => (contender.isUnary ? undefined : tellsApart(contender, ['a', 'b'], ['a', 'c']))),
  },
  {
    claim: 'Arguments count by value, in any order of properties',
    check: ofArguments((contender) => knowsAgain(contender, [{ page: 1, sort: 'name' }], [{ sort: 'name', page: 1 }])),
  },
  {
    claim: "`1` and `'1'` are two calls",
    check: ofArguments((contender) => tellsApart(contender, [1], ['1'])),
  },
  {
    claim: 'So are two different `Map`s, and two `bigint`s',
    check: ofArguments(
      async (contender) =>
        (await tellsApart(contender, [new Map([['a', 1]])], [new Map([['a', 2]])])) &&
        (await tellsApart(contender, [1n], [2n])),
    ),
  },
  {
    claim: '`undefined` is cached',
    check: (contender) => caches(contender, undefined),
  },
  {
    claim: "`null`, `0`, `''` and `false` are cached",
    async check(contender) {
      for (const value of [null, 0, '', false]) if (!(await caches(contender, value))) return false;
      return true;
    },
  },
  {
    claim: 'A ttl of 30 days holds',
    async check({ make, hasNoTtl }) {
      if (hasNoTtl) return undefined;
      const fn = counted(async () => 'value');
      const { call } = await make(fn, { ttl: 30 * 24 * 3_600_000 });
      await call('a');
      await pause(50);
      await call('a');
      return fn.runs === 1;
    },
  },
  {
    claim: 'What began before it was forgotten is not kept',
    async check({ make }) {
      const results = [];
      const { call, forget } = await make(() => new Promise((resolve) => results.push((value) => resolve(value))));
      const early = Promise.resolve(call('a')).catch(() => undefined);
      while (results.length === 0) await turn();
      // Some wait in it for the run.
      const forgotten = forget('a');
      await turn();
      results[0]('old');
      await Promise.all([early, forgotten]);
      await turn();
      const late = call('a');
      await turn();
      results[1]?.('new');
      return (await late) === 'new';
    },
  },
  {
    claim: '… and who waited for it gets its answer',
    async check({ make }) {
      let settle;
      const { call, forget } = await make(() => new Promise((resolve) => (settle = resolve)));
      const early = call('a');
      while (settle === undefined) await turn();
      const forgotten = forget('a');
      await turn();
      settle('old');
      await forgotten;
      return Promise.resolve(early).then(
        (value) => value === 'old',
        () => false,
      );
    },
  },
  {
    claim: 'A store that cannot be read fails no call',
    check: ofStores(async ({ make }) => {
      const store = new Map();
      store.get = store.has = () => Promise.reject(new Error('no store'));
      const { call } = await make(async () => 'value', { store });
      return (await call('a')) === 'value';
    }),
  },
  {
    claim: 'A store that cannot be written loses no result',
    check: ofStores(async ({ make }) => {
      const store = new Map();
      store.set = () => Promise.reject(new Error('no store'));
      const { call } = await make(async () => 'value', { store });
      return (await call('a')) === 'value';
    }),
  },
  {
    claim: 'A store that hangs delays a call for a time only',
    check: ofStores(async ({ make }) => {
      const store = new Map();
      store.get = store.has = () => new Promise(() => undefined);
      const { call } = await make(async () => 'value', { store });
      return Promise.race([Promise.resolve(call('a')).then((value) => value === 'value'), pause(1_500, false)]);
    }),
  },
  {
    claim: 'A caller that aborts leaves the others alone',
    async check({ make, signals }) {
      if (signals !== true) return undefined;
      const { call } = await make(async () => pause(50, 'value'));
      const [impatient, patient] = [new AbortController(), new AbortController()];
      const left = Promise.resolve(call('a', impatient.signal)).catch(({ name }) => name);
      const stays = Promise.resolve(call('a', patient.signal)).catch(() => 'failed too');
      impatient.abort();
      return (await stays) === 'value' && (await left) === 'AbortError';
    },
  },
];
