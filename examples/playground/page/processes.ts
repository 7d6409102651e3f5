import { memoizeAsync, tiered } from 'aiocachetools';
import { addButton, addOutput, control, heading, log, pause } from './elements.js';
import type { Entry, Memoized, MemoizeEvent, Store } from 'aiocachetools';

/** Milliseconds. */
const times = { ttl: 20_000, latency: 40, run: 400 } as const;

interface Report {
  readonly version: number;
}

type Load = (topic: string) => Promise<Report>;

/** Stands for a server that both processes reach over a network. */
class SharedStore implements Store<Report> {
  isDown = false;
  readonly entries = new Map<string, Entry<Report>>();
  commands = 0;

  get(key: string): Promise<Entry<Report> | undefined> {
    return this.#answer(() => this.entries.get(key));
  }

  set(key: string, entry: Entry<Report>, _ttl?: number): Promise<unknown> {
    return this.#answer(() => this.entries.set(key, entry));
  }

  delete(key: string): Promise<boolean> {
    return this.#answer(() => this.entries.delete(key));
  }

  async #answer<T>(act: () => T): Promise<T> {
    this.commands += 1;
    await pause(times.latency);
    if (this.isDown) throw new Error('the shared store is down');
    return act();
  }
}

const shared = new SharedStore();
let version = 0;

/** One process: a wrapper and, if it is on, a near store of its own. */
class Process {
  #load: Memoized<Load>;
  readonly #box: HTMLElement;
  readonly #outputs = new Map<string, HTMLElement>();

  constructor(readonly number: number) {
    this.#box = document.querySelector<HTMLElement>(`[data-process='${number}']`)!;
    this.#load = this.#memoize(true);
    this.#box.append(heading(`Process ${number}`));
    addButton(this.#box, `call-${number}`, 'Call', () => this.#call());
    addButton(this.#box, `delete-${number}`, 'Delete', () => this.#delete());
    for (const name of ['value', 'hits', 'misses', 'runs']) this.#outputs.set(name, addOutput(this.#box, name));
    this.show();
  }

  configure(hasNear: boolean): void {
    this.#load = this.#memoize(hasNear);
    this.show();
  }

  show(): void {
    const stats = this.#load.stats();
    for (const name of ['hits', 'misses', 'runs'] as const) this.#outputs.get(name)!.textContent = `${stats[name]}`;
  }

  async #call(): Promise<void> {
    const report = await this.#load('news');
    this.#outputs.get('value')!.textContent = `v${report.version}`;
    await this.#load.settled();
    showAll();
  }

  async #delete(): Promise<void> {
    await this.#load.delete('news').catch((error: Error) => log(`process ${this.number}`, 'rejected', error.message));
    showAll();
  }

  #memoize(hasNear: boolean): Memoized<Load> {
    const load: Load = async () => {
      await pause(times.run);
      return { version: (version += 1) };
    };
    const onEvent = (event: MemoizeEvent): void => {
      log(`process ${this.number}`, event.type, event.type === 'store-error' ? `${event.operation} failed` : event.key);
    };
    const cache = hasNear ? tiered<Report>(new Map<string, Entry<never>>(), shared) : shared;
    return memoizeAsync(load, { name: 'report', ttl: times.ttl, cache, onEvent });
  }
}

const storeBox = document.querySelector<HTMLElement>('[data-store]')!;
storeBox.append(heading('Shared store'));
const stored = addOutput(storeBox, 'value');
const commands = addOutput(storeBox, 'commands');
const processes = [new Process(1), new Process(2)];
control('near').addEventListener('change', () => {
  for (const process of processes) process.configure(control('near').checked);
});
control('down').addEventListener('change', () => (shared.isDown = control('down').checked));
showAll();

function showAll(): void {
  for (const process of processes) process.show();
  const [entry] = shared.entries.values();
  stored.textContent = entry?.value === undefined ? 'empty' : `v${entry.value.version}`;
  commands.textContent = `${shared.commands}`;
}
