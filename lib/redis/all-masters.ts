import { textOf } from './clients/client.js';
import type { Node } from './clients/client.js';
import type { CommandRunner, RunOptions } from './command-runner.js';
import type { Keyspace } from './keyspace.js';

const SLOTS = 16_384;

/**
 * All masters of the cluster, or the one server, and which of them has which slots, as text. Rejects where it cannot be sure
 * that it knows all.
 */
export async function allMasters(
  runner: CommandRunner,
  { fences }: Keyspace,
  options: RunOptions,
): Promise<{ readonly masters: readonly Node[]; readonly layout: string }> {
  const masters = await runner.masters(fences, options.timeout);
  return { masters, layout: await layoutOf(runner, masters, options) };
}

/** Rejects where some slot is at none of these masters. */
export async function layoutOf(runner: CommandRunner, masters: readonly Node[], options: RunOptions): Promise<string> {
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
  throw new Error(`${covered} of ${SLOTS} slots of the cluster are at masters that can be reached`);
}

/** A function reaches one node at a time, and which one is unknown. */
async function assertSingle(runner: CommandRunner, node: Node, options: RunOptions): Promise<void> {
  const ask = (...args: string[]): Promise<unknown> => askIfAllowed(runner, node, { args, options });
  const [, isEnabled] = /cluster_enabled:(\d)/.exec(textOf(await ask('info', 'cluster'))) ?? [];
  // A user may be denied INFO. A server that is no node of a cluster refuses to list slots.
  const isNode = isEnabled === undefined ? Array.isArray(await ask('cluster', 'slots')) : isEnabled === '1';
  if (isNode) {
    throw new TypeError(
      'Not every node of a cluster can be reached through a function: give `redisStore` the cluster client itself',
    );
  }
}

/** `undefined` where the server refuses the command. */
export async function askIfAllowed(
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
