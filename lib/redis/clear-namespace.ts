import { textOf } from './clients/client.js';
import { writeAnnouncement } from './messages.js';
import type { Context } from './context.js';

/** How many names one step of a SCAN looks at. */
const SCAN_COUNT = '1000';

/** Deletes all entries of one namespace, on every master, and announces it. */
export async function clearNamespace(
  { runner, keyspace }: Context,
  { namespace, sender, timeout }: { readonly namespace: string; readonly sender: string; readonly timeout: number },
): Promise<void> {
  const options = { timeout, bypassBreaker: true, isRetried: true };
  const { records, values } = keyspace.patternsOf(namespace);
  // Records first: after that, a run from before is refused or has been written, and the second pass finds its value.
  await unlinkAll(records);
  await unlinkAll(values);
  const message = writeAnnouncement({ type: 'namespace', sender, namespace });
  await runner.publish(keyspace.fences, message, timeout);

  async function unlinkAll(pattern: string): Promise<void> {
    for (const master of await runner.client.masters()) {
      let cursor = '0';
      do {
        const args = ['scan', cursor, 'match', pattern, 'count', SCAN_COUNT];
        const [next, found] = (await runner.sendTo(master, args, options)) as [unknown, readonly unknown[]];
        cursor = textOf(next);
        await unlink(found.map((name) => keyspace.withoutKeyPrefix(textOf(name))));
      } while (cursor !== '0');
    }
  }

  async function unlink(names: readonly string[]): Promise<void> {
    if (runner.client.isCluster) {
      await Promise.all(names.map((name) => runner.send(name, ['unlink', name], options)));
    } else if (names.length > 0) {
      await runner.send(names[0]!, ['unlink', ...names], options);
    }
  }
}
