/**
 * Why a command failed.
 * - `busy`: a reply that is true for a moment only, as while a slot moves, a server loads or a replica is promoted.
 * - `reply`: any other error reply of a living server, such as WRONGTYPE, OOM or NOPERM.
 * - `connection`: known to be a failure of the connection.
 * - `unknown`: of another spelling.
 */
export type Failure = 'busy' | 'reply' | 'connection' | 'unknown';

/** The class names of a library's errors. */
export interface ErrorKinds {
  readonly replies: ReadonlySet<string>;
  readonly connections: ReadonlySet<string>;
}

/** Anywhere in the message: servers before 7.0 wrap the error of a script, and so do some clients. */
const busyMessage =
  /\b(TRYAGAIN|CLUSTERDOWN|LOADING|READONLY|MASTERDOWN|TryAgain|ClusterDown|BusyLoadingError|ReadOnly|MasterDown|Too many Cluster redirections)\b/;

const replyMessage = /^-?[A-Z][A-Z0-9_]* |signalled by the server/;

/** Codes of Node, of undici and of the parser. */
const connectionCode =
  /^(E[A-Z]{3,}|ERR_SOCKET_\w+|ERR_STREAM_\w+|UND_ERR_\w+|NR_CLOSED|CONNECTION_BROKEN|UNCERTAIN_STATE)$/;

const connectionMessage = /connection|socket|client is (closed|offline)|timed? ?out|isn't writeable|fetch failed/i;

export function classify(error: unknown, { replies, connections }: ErrorKinds): Failure {
  const message = messageOf(error);
  const isNamed = (names: ReadonlySet<string>): boolean => namesOf(error).some((name) => names.has(name));
  if (busyMessage.test(message)) return 'busy';
  if (isNamed(replies)) return 'reply';
  if (isNamed(connections) || codesOf(error).some((code) => connectionCode.test(code))) return 'connection';
  if (replyMessage.test(message)) return 'reply';
  return connectionMessage.test(message) ? 'connection' : 'unknown';
}

/** True where the script may be unknown to the server: for NOSCRIPT, however a client spells it. */
export function mayLackScript(error: unknown, failure: Failure): boolean {
  if (failure === 'connection' || failure === 'busy') return false;
  // Another code says that the script was found.
  return !/^-?(?!NOSCRIPT|ERR)[A-Z][A-Z0-9_]* /.test(messageOf(error));
}

/** True where the server refuses writes for want of memory. */
export function isOutOfMemory(error: unknown): boolean {
  return /\bOOM\b/.test(messageOf(error));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Minified classes keep the name that they set, others that of the class. */
function namesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { name, constructor } = error as { name?: unknown; constructor?: { name?: unknown } };
  return [String(name), String(constructor?.name)];
}

function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } | null };
  return [code, cause?.code].filter((each) => typeof each === 'string');
}
