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
    masters: async () => [{ name: '', send }],
    nodeOf: () => undefined,
    // Unknown, so one command takes one key.
    isCluster: true,
    hasNodes: false,
    isOrdered: false,
    keyPrefix: '',
    isEnded: () => false,
    failureOf: (error) => classify(error, errorKinds),
    messages: undefined,
  };
}
