import { Redis } from 'ioredis';
import { invalidateTags, memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { hitRatio } from './redis-throughput.js';
import { tagsOf } from './redis-messages.js';
import type { MemoizeEvent, Store } from 'aiocachetools';
import type { ChangeKind, FromWorker, NearState, Setup, Stored, Task, ToWorker } from './redis-messages.js';

/** One of several processes that share a cache. Says when a run starts; does what it is told. */
let wrapper: ReturnType<typeof createWrapper> | undefined;
let client: Redis | undefined;
let near = createNear();
let runs = 0;
const events: MemoizeEvent[] = [];

process.on('message', (message: ToWorker) => {
  perform(message).then(
    (value) => tell({ type: 'done', id: message.id, value }),
    (error: unknown) => tell({ type: 'failed', id: message.id, error: String(error) }),
  );
});
process.on('unhandledRejection', (reason) => tell({ type: 'unhandled', reason: String(reason) }));
process.on('disconnect', () => process.exit());
tell({ type: 'ready' });

function createWrapper(setup: Setup) {
  client?.disconnect();
  client = new Redis({
    path: setup.socket,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...setup.client,
  });
  client.on('error', () => undefined);
  const far = redisStore(setup.isFunction ? (args) => client!.call(args[0]!, ...args.slice(1)) : client, setup.store);
  near = createNear();
  const cache = setup.isTiered ? tiered(near, far, { nearTtl: setup.nearTtl }) : far;
  return memoizeAsync(run, {
    name: 'shared',
    storeTimeout: 250,
    ...setup.options,
    ...(setup.isTagged === true && { tags: (value: string, key: string) => tagsOf(key, value) }),
    cache,
    onEvent: (event) => {
      if (event.type === 'store-error') events.push({ ...event, error: String(event.error) });
      else events.push(event);
    },
  });
}

/** Remembers when it became empty. */
function createNear() {
  return new (class extends Map<string, never> {
    emptiedAt = 0;

    override delete(key: string): boolean {
      const isGone = super.delete(key);
      if (isGone && this.size === 0) this.emptiedAt = moment();
      return isGone;
    }
  })();
}

async function run(key: string, task: Task): Promise<string> {
  runs += 1;
  const value = `${key} by ${process.pid} (${runs})`;
  tell({ type: 'run', key, value });
  if (task.blocks !== undefined) {
    const end = performance.now() + task.blocks;
    while (performance.now() < end);
  }
  if (task.takes !== undefined && task.takes > 0) await new Promise((resolve) => setTimeout(resolve, task.takes));
  if (task.throws === true) throw new Error(`no value from ${process.pid}`);
  if (task.isTimed === true) return `${value} at ${moment()}`;
  return task.padding === undefined ? value : value.padEnd(task.padding, '.');
}

async function perform(message: ToWorker): Promise<unknown> {
  if (message.do === 'set up') {
    wrapper = createWrapper({ ...message.setup, options: { ...message.setup.options, ignore: [1] } });
    await client!.ping();
    return undefined;
  }
  const f = wrapper!;
  switch (message.do) {
    case 'call':
      return callMany(message.key, message.task, message.callers);
    case 'call each':
      return Promise.all(
        message.keys.map((key) => Promise.all(Array.from({ length: message.callers }, () => f(key, message.task)))),
      ).then((answers) => answers.map((same) => [...new Set(same)]));
    case 'lag': {
      const value = await f(message.key, { takes: 20, isTimed: true });
      // The process that ran it did not have to be woken.
      return value.includes(` by ${process.pid} `) ? undefined : moment() - Number(value.slice(value.lastIndexOf(' ')));
    }
    case 'change':
      await change(message.how, message.key);
      return moment();
    case 'near':
      return { size: near.size, emptiedAt: near.emptiedAt } satisfies NearState;
    case 'hit ratio':
      return hitRatio(message.library, message.socket, message.depth);
    case 'peek':
      return f.peek(message.key);
    case 'read':
      return read(message.key);
    case 'delete':
      return f.delete(message.key);
    case 'expire':
      return f.expire(message.key);
    case 'invalidate tags':
      return invalidateTags(f, message.tags, { soft: message.isSoft });
    case 'clear':
      return f.clear();
    case 'prime':
      return f.prime([message.key, {}], message.value);
    case 'refresh':
      return f.refresh(message.key, message.task);
    case 'stats':
      return f.stats();
    case 'events':
      return events.splice(0);
    case 'settle':
      return f.settled();
    case 'hear':
      // The contents of a socket have been read after a turn or two.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return undefined;
    case 'quit':
      await client!.quit();
      return undefined;
  }
}

/** What the store answers, without what this process knows beside it. */
async function read(key: string): Promise<Stored | undefined> {
  const store = wrapper!.cache as Store<string>;
  const entry = await store.get(`shared|${wrapper!.keyOf(key, {})}`);
  if (entry === undefined) return undefined;
  return { value: entry.value!, isFresh: entry.freshUntil === undefined || Date.now() < entry.freshUntil };
}

/** Resolves when the change is made, be it by `fn`. */
async function change(how: ChangeKind, key: string): Promise<void> {
  const f = wrapper!;
  if (how === 'delete') await f.delete(key);
  else if (how === 'clear') await f.clear();
  else if (how === 'prime') await f.prime([key, {}], `primed by ${process.pid}`);
  else {
    await f.refresh(key, {});
    // A write is awaited here only.
    await f.settled();
  }
}

/** Comparable between processes of one machine. */
function moment(): number {
  return performance.timeOrigin + performance.now();
}

async function callMany(key: string, task: Task, callers: number): Promise<unknown> {
  const startedAt = performance.now();
  const values = new Set<string>();
  const errors = new Set<string>();
  await Promise.all(
    Array.from({ length: callers }, () =>
      wrapper!(key, task).then(
        (value) => values.add(value),
        (error: unknown) => errors.add(String(error)),
      ),
    ),
  );
  return { values: [...values], errors: [...errors], took: performance.now() - startedAt };
}

function tell(message: FromWorker): void {
  process.send?.(message);
}
