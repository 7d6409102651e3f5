import { invalidateTags, memoizeAsync } from 'aiocachetools';
import { addButton, addOutput, control, heading, log, pause } from './elements.js';
import type { Entry, Memoized, MemoizeEvent } from 'aiocachetools';

/** Milliseconds. */
const times = { ttl: 60_000, staleWhileRevalidate: 60_000, run: 300 } as const;

/** Three functions keep their results here. Tags reach all of them. */
const cache = new Map<string, Entry<never>>();
let version = 0;

/** A function, and what its box in the page shows. */
class Shelf {
  readonly #load: Memoized<() => Promise<string>>;
  readonly #outputs = new Map<string, HTMLElement>();

  constructor(name: string, tags: readonly string[]) {
    const load = async (): Promise<string> => {
      await pause(times.run);
      return `v${(version += 1)}`;
    };
    const onEvent = ({ type }: MemoizeEvent): void => log(name, type, tags.join(', '));
    const { ttl, staleWhileRevalidate } = times;
    this.#load = memoizeAsync(load, { name, cache, tags, ttl, staleWhileRevalidate, onEvent });
    const box = document.querySelector<HTMLElement>(`[data-shelf='${name}']`)!;
    box.append(heading(name));
    addButton(box, `call-${name}`, 'Call', () => this.#call());
    for (const output of ['value', 'hits', 'stale', 'runs']) this.#outputs.set(output, addOutput(box, output));
    this.#show();
  }

  async #call(): Promise<void> {
    this.#outputs.get('value')!.textContent = await this.#load();
    this.#show();
    // A refresh behind a stale value is a run too.
    await this.#load.settled();
    this.#show();
  }

  #show(): void {
    const stats = this.#load.stats();
    for (const name of ['hits', 'stale', 'runs'] as const) this.#outputs.get(name)!.textContent = `${stats[name]}`;
  }
}

new Shelf('apples', ['fruit', 'red']);
new Shelf('pears', ['fruit']);
new Shelf('tomatoes', ['red']);

const buttons = document.querySelector<HTMLElement>('[data-invalidate]')!;
for (const tag of ['fruit', 'red']) {
  addButton(buttons, `invalidate-${tag}`, `Invalidate ${tag}`, async () => {
    const soft = control('soft').checked;
    await invalidateTags(cache, [tag], { soft });
    log('tag', soft ? 'expired' : 'invalidated', tag);
  });
}
