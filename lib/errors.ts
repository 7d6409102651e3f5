/**
 * A call whose arguments cannot be told apart by their contents: a function, a class instance, a stream, a cycle …
 * Delivered as a rejection, before `fn` runs. List the argument in `ignore`, or return plain data from `keyOf`.
 */
export class UnkeyableArgumentError extends TypeError {
  override readonly name = 'UnkeyableArgumentError';

  constructor(
    message: string,
    /** Position of the argument, counted from 0. */
    readonly argument: number,
    /** Where inside the argument, such as `.options.logger` or `[3]`; empty for the argument itself. */
    readonly path: string,
  ) {
    super(message);
  }
}

/** A run of `fn` outlived `timeout`, or a store operation outlived `storeTimeout`. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';

  constructor(
    message: string,
    /** The limit that was hit, in milliseconds. */
    readonly timeout: number,
  ) {
    super(message);
  }
}
