import type { BatchedReads } from './batched-reads.js';
import type { ServerClock } from './clock.js';
import type { Codec } from './codec.js';
import type { CommandRunner } from './command-runner.js';
import type { Keyspace } from './keyspace.js';
import type { SharedMarks } from './shared-marks.js';
import type { Subscriptions } from './subscriptions.js';

/** What the parts of one store share. */
export interface Context {
  readonly runner: CommandRunner;
  readonly reads: BatchedReads;
  readonly keyspace: Keyspace;
  readonly marks: SharedMarks;
  readonly clock: ServerClock;
  readonly subscriptions: Subscriptions;
  readonly codec: Codec;
  /** How long a holder may be silent before another process takes over, in milliseconds. */
  readonly lease: number;
  /** The longest wait for the run of another process, in milliseconds. */
  readonly wait: number;
}
