/** One step of the path into an argument: the container, and the text of the step, such as `.a`. */
interface Step {
  readonly container: unknown;
  readonly text: string;
}

const longestPath = 160;

/**
 * Thrown inside the encoder where a value cannot be identified by its contents. Each container on the way up adds its
 * step, from the inside out: the path costs nothing until a value is refused, and no getter is read twice for it.
 */
export class UnkeyableValue extends Error {
  readonly #steps: Step[] = [];

  constructor(
    /** What was found, as the message shows it: `function`, `AbortSignal`, `more than 200 levels`. */
    readonly reason: string,
    /** The value itself; `undefined` where a limit was reached. */
    readonly value?: unknown,
  ) {
    super(reason);
  }

  /** Adds the step from `container` to the refused value, then throws again. Passes on any other error unchanged. */
  static rethrow(error: unknown, container: unknown, text: string): never {
    if (UnkeyableValue.is(error)) error.#steps.push({ container, text });
    throw error;
  }

  static is(error: unknown): error is UnkeyableValue {
    return typeof error === 'object' && error !== null && #steps in error;
  }

  /** What to tell the caller. A path that meets a container twice is a cycle, and ends where the cycle closes. */
  describe(): { reason: string; path: string } {
    const seen = new Set<unknown>();
    let path = '';
    for (const { container, text } of [...this.#steps].reverse()) {
      if (seen.has(container)) return { reason: 'a cycle', path: shorten(path) };
      seen.add(container);
      path += text;
    }
    return { reason: this.reason, path: shorten(path) };
  }
}

/** A limit on the whole list of arguments: the path to where it was reached says nothing, so there is none. */
export class ListLimit extends UnkeyableValue {
  override describe(): { reason: string; path: string } {
    return { reason: this.reason, path: '' };
  }
}

/** `.name` for an identifier, otherwise `["any name"]`. */
export function propertyStep(name: string): string {
  if (name.length > 60) return `[${JSON.stringify(`${name.slice(0, 60)}…`)}]`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function shorten(path: string): string {
  return path.length > longestPath ? `${path.slice(0, longestPath)}…` : path;
}

/** The most characters of a canonical text, and of the text of one value. */
export const longestText = 8 * 1024 * 1024;

export function tooLong(): UnkeyableValue {
  return new ListLimit('more than 8 Mi characters');
}
