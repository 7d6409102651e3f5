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

/** For a message between processes. */
const aWhile = () => pause(100);

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

/** A head row: without the member a contender cannot do it. */
const can = (member, check) => (contender, redis) =>
  contender[member] === undefined ? false : check(contender, redis);

/** A row below it: without the member it does not apply. */
const where = (member, check) => (contender, redis) =>
  contender[member] === undefined ? undefined : check(contender, redis);

/** A run is under way in `call` while `forget` is called: whether the others then get a result of a later run. */
async function keepsNothingOld(results, { call, forget, others = [call] }) {
  const early = Promise.resolve(call('a')).catch(() => undefined);
  while (results.length === 0) await turn();
  // Some wait in it for the run.
  const forgotten = forget();
  await Promise.race([forgotten, aWhile()]);
  await turn();
  results[0]('old');
  await Promise.all([early, forgotten]);
  await turn();
  for (const other of others) {
    const late = other('a');
    await turn();
    for (const resolve of results.slice(1)) resolve('new');
    if ((await late) !== 'new') return false;
  }
  return true;
}

/** Whether the old value comes at once after `expire`, and the new one soon. */
async function answersMeanwhile(soft, expire) {
  const { results, fn } = held();
  const contender = await soft(fn);
  const { call } = contender;
  const first = call('a');
  while (results.length === 0) await turn();
  results[0]('old');
  await first;
  await turn();
  await expire(contender);
  await turn();
  const isOld = (await Promise.race([call('a'), pause(1_000)])) === 'old';
  while (results.length === 1) await turn();
  results[1]('new');
  await turn();
  return isOld && (await call('a')) === 'new' && results.length === 2;
}

/** `fn` whose runs end when they are told to, by the functions in `results`. */
function held() {
  const results = [];
  return { results, fn: () => new Promise((resolve) => results.push(resolve)) };
}

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
      const { results, fn } = held();
      const { call, forget } = await make(fn);
      return keepsNothingOld(results, { call, forget: () => forget('a') });
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
    claim: 'Results can be forgotten by tag',
    check: can('tagged', async ({ tagged }) => {
      const fn = counted(async () => 'value');
      const { call, invalidate } = await tagged(fn);
      for (const key of ['a', 'b']) await call(key);
      await turn();
      await invalidate('tag:a');
      await turn();
      for (const key of ['a', 'b']) await call(key);
      return fn.runs === 3;
    }),
  },
  {
    claim: '… also those of runs under way',
    check: where('tagged', async ({ tagged }) => {
      const { results, fn } = held();
      const { call, invalidate } = await tagged(fn);
      return keepsNothingOld(results, { call, forget: () => invalidate('tag:a') });
    }),
  },
  {
    claim: '… also in another process, by Redis',
    needsRedis: true,
    check: where('pair', async ({ pair }, redis) => {
      const fn = counted(async () => `run ${fn.runs}`);
      const [one, two] = await pair(fn, redis);
      for (const { call } of [one, two]) {
        await call('a');
        await aWhile();
      }
      await one.invalidate('tag:a');
      await aWhile();
      const { runs } = fn;
      return runs === 1 && (await two.call('a')) === 'run 2';
    }),
  },
  {
    claim: '… and those of runs under way there',
    needsRedis: true,
    check: where('pair', async ({ pair }, redis) => {
      const { results, fn } = held();
      const [one, two] = await pair(fn, redis);
      return keepsNothingOld(results, {
        call: two.call,
        forget: async () => {
          await one.invalidate('tag:a');
          await aWhile();
        },
        others: [one.call, two.call],
      });
    }),
  },
  {
    claim: 'An old value can answer while a forgotten one is made anew',
    check: can('soft', async ({ soft }) => answersMeanwhile(soft, ({ expire }) => expire('a'))),
  },
  {
    claim: '… also by tag',
    check: where('soft', async ({ soft }) =>
      answersMeanwhile(soft, ({ expireTag }) => (expireTag === undefined ? Promise.reject() : expireTag('tag:a'))),
    ),
  },
  {
    claim: 'Calls at the same time can become one batch',
    check: can('batched', async ({ batched }) => {
      const batches = [];
      const { call } = await batched(async (keys) => {
        batches.push([...keys]);
        return keys.map((key) => key * 2);
      });
      const answers = await Promise.all([call(1), call(2), call(1)]);
      answers.push(...(await Promise.all([call(2), call(3)])));
      return JSON.stringify([answers, batches]) === '[[2,4,2,4,6],[[1,2],[3]]]';
    }),
  },
  {
    claim: '… in which one item can fail alone',
    check: where('batched', async ({ batched }) => {
      const { call } = await batched(async (keys) => keys.map((key) => (key === 2 ? new Error('no') : key)));
      const [one, two] = await Promise.allSettled([call(1), call(2)]);
      return one.value === 1 && two.status === 'rejected';
    }),
  },
  {
    claim: '… and is tried again by the next call',
    check: where('batched', async ({ batched }) => {
      let isDown = true;
      const { call } = await batched(async (keys) => keys.map((key) => (isDown ? new Error('no') : key)));
      const first = await Promise.allSettled([call(1), call(2)]);
      isDown = false;
      return first.every(({ status }) => status === 'rejected') && (await call(1)) === 1;
    }),
  },
  {
    claim: 'Values of another shape in the store can be refused',
    check: ofStores(
      can('checked', async ({ checked }) => {
        const store = new Map();
        const isUser = (value) => typeof value?.name === 'string';
        const before = await checked(async () => ({ fullName: 'Ada' }), { store, isValid: () => true });
        await before.call('a');
        await turn();
        const fn = counted(async () => ({ name: 'Ada' }));
        const after = await checked(fn, { store, isValid: isUser });
        const answers = [await after.call('a'), await after.call('a')];
        return fn.runs === 1 && store.size > 0 && answers.every(isUser);
      }),
    ),
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
