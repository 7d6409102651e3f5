import { textOf } from './client.js';
import { classify } from './failure.js';
import type { Client, Send } from './client.js';
import type { ErrorKinds } from './failure.js';

/** Any client that takes whole commands: HTTP clients, wrappers, clusters that need a key to route by. */
export type CommandFunction = (args: string[]) => Promise<unknown>;

/** The errors of clients that such a function may wrap, valkey-glide among them. */
const errorKinds: ErrorKinds = {
  replies: new Set(['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError', 'MultiErrorReply', 'RequestError']),
  connections: new Set([
    'AbortError',
    'ClientClosedError',
    'ClosingError',
    'ConnectionError',
    'MaxRetriesPerRequestError',
    'SocketClosedUnexpectedlyError',
    'TimeoutError',
  ]),
};

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
      return [{ name: '', send }];
    },
    nodeOf: () => undefined,
    // Unknown, so one command takes one key.
    isCluster: true,
    isOrdered: false,
    keyPrefix: '',
    isEnded: () => false,
    onEnd: () => () => undefined,
    failureOf: (error) => classify(error, errorKinds),
    canDuplicate: false,
    openSubscriber: () => undefined,
  };
}

async function isClusterNode(send: Send): Promise<boolean> {
  // A server that does not know the section is no cluster node. A failure shows in the commands that follow.
  const info = await send(['info', 'cluster']).then(textOf, () => '');
  return /cluster_enabled:1/.test(info);
}
