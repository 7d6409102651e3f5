import { allMasters, askIfAllowed, layoutOf } from './all-masters.js';
import { textOf } from './clients/client.js';
import { writeAnnouncement } from './messages.js';
import type { Node } from './clients/client.js';
import type { RunOptions } from './command-runner.js';
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
  const { masters, layout } = await allMasters(runner, keyspace, options);
  // Records first: after that, a run from before is refused or has been written, and the second pass finds its value.
  for (const pattern of [records, values]) {
    for (const master of masters) await unlinkAll(context, master, { pattern, options });
  }
  if ((await layoutOf(runner, masters, options)) !== layout) {
    throw new Error('The slots of the cluster were moved during `clear`, so entries may be left: clear again');
  }
  await runner.publish(keyspace.fences, writeAnnouncement({ type: 'namespace', sender, namespace }), timeout);
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
