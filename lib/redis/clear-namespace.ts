import { textOf } from './clients/client.js';
import { writeAnnouncement } from './messages.js';
import type { Node } from './clients/client.js';
import type { CommandRunner, RunOptions } from './command-runner.js';
import type { Context } from './context.js';

interface Clear {
  readonly namespace: string;
  readonly sender: string;
  /** Of each command, in milliseconds. */
  readonly timeout: number;
}

/** How many names one step of a SCAN looks at: at least, and at most, as the server does nothing else meanwhile. */
const LEAST_COUNT = 1_000;
const MOST_COUNT = 20_000;

/** How many steps a pass should take. */
const STEPS = 50;

const SLOTS = 16_384;

/**
 * Deletes all entries of one namespace on every master, and announces it. Rejects where it cannot be sure that it has
 * reached all of them.
 *
 * SCAN looks at every name of the server. A generation in a key of its own, read with each entry, would make this one
 * command, but in a cluster that key is on another node than most entries: each hit would be two reads, and no commit
 * could check it in the same step.
 */
export async function clearNamespace(context: Context, { namespace, sender, timeout }: Clear): Promise<void> {
  const { runner, keyspace } = context;
  const options = { timeout, bypassBreaker: true, isRetried: true };
  const { records, values } = keyspace.patternsOf(namespace);
  const masters = await runner.masters(keyspace.fences, timeout);
  const layout = await layoutOf(context, masters, options);
  // Records first: after that, a run from before is refused or has been written, and the second pass finds its value.
  for (const pattern of [records, values]) {
    for (const master of masters) await unlinkAll(context, master, { pattern, options });
  }
  if ((await layoutOf(context, masters, options)) !== layout) {
    throw new Error('The slots of the cluster were moved during `clear`, so entries may be left: clear again');
  }
  await runner.publish(keyspace.fences, writeAnnouncement({ type: 'namespace', sender, namespace }), timeout);
}

/** Which master has which slots, as text. Rejects where some slot is at none of these masters. */
async function layoutOf({ runner }: Context, masters: readonly Node[], options: RunOptions): Promise<string> {
  if (!runner.client.hasNodes) {
    if (runner.client.isCluster) await assertSingle(runner, masters[0]!, options);
    return '';
  }
  const ids = await Promise.all(masters.map((master) => runner.sendTo(master, ['cluster', 'myid'], options)));
  const reached = new Set(ids.map(textOf));
  const ranges = masters.length === 0 ? [] : await runner.sendTo(masters[0]!, ['cluster', 'slots'], options);
  let covered = 0;
  const layout = (ranges as readonly (readonly unknown[])[]).map(([first, last, master]) => {
    const id = textOf((master as readonly unknown[])[2]);
    if (reached.has(id)) covered += Number(last) - Number(first) + 1;
    return `${textOf(first)}-${textOf(last)} ${id}`;
  });
  if (covered === SLOTS) return layout.sort().join('\n');
  throw new Error(`\`clear\` reaches ${covered} of ${SLOTS} slots of the cluster, so entries would be left`);
}

/** A function reaches one node at a time, and which one is unknown. */
async function assertSingle(runner: CommandRunner, node: Node, options: RunOptions): Promise<void> {
  const ask = (...args: string[]): Promise<unknown> => askIfAllowed(runner, node, { args, options });
  const [, isEnabled] = /cluster_enabled:(\d)/.exec(textOf(await ask('info', 'cluster'))) ?? [];
  // A user may be denied INFO. A server that is no node of a cluster refuses to list slots.
  const isNode = isEnabled === undefined ? Array.isArray(await ask('cluster', 'slots')) : isEnabled === '1';
  if (isNode) {
    throw new TypeError(
      '`clear` cannot reach every node of a cluster through a function: give `redisStore` the cluster client itself',
    );
  }
}

async function unlinkAll(
  { runner, keyspace }: Context,
  master: Node,
  { pattern, options }: { readonly pattern: string; readonly options: RunOptions },
): Promise<void> {
  const size = Number((await askIfAllowed(runner, master, { args: ['dbsize'], options })) ?? 0);
  const count = Math.min(MOST_COUNT, Math.max(LEAST_COUNT, Math.ceil(size / STEPS)));
  let cursor = '0';
  do {
    const args = ['scan', cursor, 'match', pattern, 'count', String(count)];
    const [next, found] = (await runner.sendTo(master, args, options)) as [unknown, readonly unknown[]];
    cursor = textOf(next);
    const names = found.map((name) => keyspace.withoutKeyPrefix(textOf(name)));
    if (runner.client.isCluster) {
      await Promise.all(names.map((name) => runner.send(name, ['unlink', name], options)));
    } else if (names.length > 0) {
      await runner.send(names[0]!, ['unlink', ...names], options);
    }
  } while (cursor !== '0');
}

/** `undefined` where the server refuses the command. */
async function askIfAllowed(
  runner: CommandRunner,
  node: Node,
  { args, options }: { readonly args: readonly string[]; readonly options: RunOptions },
): Promise<unknown> {
  try {
    return await runner.sendTo(node, args, options);
  } catch (error) {
    if (runner.client.failureOf(error) === 'reply') return undefined;
    throw error;
  }
}
