import { isErrorReply, textOf } from './client.js';
import type { Client, Send } from './client.js';

/** Any client that takes whole commands: HTTP clients, wrappers, clusters that need a key to route by. */
export type CommandFunction = (args: string[]) => Promise<unknown>;

/** Classes of error replies in the clients that such a function usually wraps. */
const replyErrors: ReadonlySet<string> = new Set([
  'ReplyError',
  'ErrorReply',
  'SimpleError',
  'BlobError',
  'MultiErrorReply',
]);

export function functionClient(sendCommand: CommandFunction): Client {
  const send: Send = (args) => sendCommand([...args]);
  return {
    send: (_key, args) => send(args),
    masters: async () => {
      if (await isClusterNode(send)) {
        throw new TypeError(
          '`clear` cannot reach every node of a cluster through a function: give `redisStore` the cluster client itself',
        );
      }
      return [send];
    },
    // Unknown, so one command takes one key.
    isCluster: true,
    isOrdered: false,
    keyPrefix: '',
    isEnded: () => false,
    onEnd: () => () => undefined,
    isReply: (error) => isErrorReply(error, replyErrors),
    canDuplicate: false,
    openSubscriber: () => undefined,
  };
}

async function isClusterNode(send: Send): Promise<boolean> {
  // A server that does not know the section is no cluster node. A failure shows in the commands that follow.
  const info = await send(['info', 'cluster']).then(textOf, () => '');
  return /cluster_enabled:1/.test(info);
}
