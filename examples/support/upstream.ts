// The HTTP API that the examples call: chemical elements from a file, served on loopback. It counts its own requests.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A chemical element, as the API gives it. */
export interface Element {
  readonly number: number;
  readonly symbol: string;
  readonly name: string;
  /** Standard atomic weight; of the longest-lived isotope where there is none. */
  readonly weight: number;
}

export interface UpstreamOptions {
  /** How long a request is worked on, in milliseconds. */
  readonly delay?: number;
  /** How many requests are worked on at a time; the others queue, as they do in front of a database. */
  readonly capacity?: number;
}

/** `GET /elements`, `GET /elements/:symbol` and `PUT /elements/:symbol`. */
export class Upstream {
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #elements: Map<string, Element>;
  readonly #delay: number;
  #free: number;
  readonly #queue: (() => void)[] = [];
  #requests = 0;

  private constructor(elements: readonly Element[], { delay = 5, capacity = Infinity }: UpstreamOptions) {
    this.#elements = new Map(elements.map((element) => [element.symbol, element]));
    this.#delay = delay;
    this.#free = capacity;
  }

  static async start(options: UpstreamOptions = {}): Promise<Upstream> {
    const file = await readFile(new URL('../data/elements.json', import.meta.url), 'utf8');
    const upstream = new Upstream(JSON.parse(file) as Element[], options);
    // A stampede connects a thousand times at once; a shorter backlog would make it wait for retries of TCP.
    upstream.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(upstream.#server, 'listening');
    return upstream;
  }

  /** Requests received so far. */
  get requests(): number {
    return this.#requests;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    await this.#enter();
    await sleep(this.#delay);
    this.#leave();
    const [, resource, symbol] = new URL(request.url ?? '/', this.url).pathname.split('/');
    if (request.method === 'PUT' && symbol !== undefined) this.#elements.set(symbol, (await json(request)) as Element);
    const body = symbol === undefined ? [...this.#elements.values()] : this.#elements.get(symbol);
    const isFound = resource === 'elements' && body !== undefined;
    response.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isFound ? body : { error: 'no such element' }));
  }

  async #enter(): Promise<void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#free -= 1;
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
