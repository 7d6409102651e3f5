/** One step of the way into an argument, from the inside out: the container and the text of the step, such as `.a`. */
interface Step {
  readonly container: object;
  readonly text: string;
}

const longestPath = 160;

/**
 * Thrown inside the encoder where a value cannot be told apart by its contents. The containers it passes on its way up
 * add their step, so the path costs nothing until something is refused, and no getter is read twice for it.
 */
export class UnkeyableValue extends Error {
  readonly #steps: Step[] = [];

  /** Says what was found, in the words of the message: `function`, `AbortSignal`, `more than 200 levels`. */
  constructor(
    readonly reason: string,
    /** A limit on the whole argument was hit: where that happened says nothing. */
    readonly isAboutTheWhole: boolean = false,
  ) {
    super(reason);
  }

  /** Adds the step from `container` to what was refused, then throws again. Errors of others pass through untouched. */
  static rethrow(error: unknown, container: object, text: string): never {
    if (UnkeyableValue.is(error)) error.#steps.push({ container, text });
    throw error;
  }

  static is(error: unknown): error is UnkeyableValue {
    return typeof error === 'object' && error !== null && #steps in error;
  }

  /** What to tell the caller. A way that met a container twice is a cycle, and ends where it closed. */
  describe(): { reason: string; path: string } {
    const steps = this.isAboutTheWhole ? [] : [...this.#steps].reverse();
    const seen = new Set<object>();
    let path = '';
    for (const { container, text } of steps) {
      if (seen.has(container)) return { reason: 'a cycle', path: shorten(path) };
      seen.add(container);
      path += text;
    }
    return { reason: this.reason, path: shorten(path) };
  }
}

/** `.name` where that is how one would write it, else `["any name"]`. */
export function propertyStep(name: string): string {
  if (name.length > 60) return `[${JSON.stringify(`${name.slice(0, 60)}…`)}]`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function shorten(path: string): string {
  return path.length > longestPath ? `${path.slice(0, longestPath)}…` : path;
}

/** How many characters a canonical text, or what is written of one value, may have. */
export const longestText = 8 * 1024 * 1024;

export function tooLong(): UnkeyableValue {
  return new UnkeyableValue('more than 8 Mi characters', true);
}
