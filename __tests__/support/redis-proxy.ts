import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** `pass`; `hold`: keep bytes for later; `drop`: lose them; `delay`: 30 ms each way. */
export type ProxyMode = 'pass' | 'hold' | 'drop' | 'delay';

const DELAY = 30;

/** A network between a client and a server, both on unix sockets, that can misbehave. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What is on its way, in the order in which it came: whatever the mode, no byte overtakes another. */
  #held: (() => void)[] = [];
  #mode: ProxyMode = 'pass';
  /** What clients have sent since the mode was set. */
  bytes = 0;

  private constructor(
    readonly socket: string,
    target: string,
  ) {
    this.#server = createServer((near) => {
      const far = connect(target);
      this.#pipe(near, far, true);
      this.#pipe(far, near, false);
    });
  }

  static async start(socket: string, target: string): Promise<Proxy> {
    const proxy = new Proxy(socket, target);
    await new Promise<void>((resolve) => proxy.#server.listen(socket, resolve));
    return proxy;
  }

  set mode(mode: ProxyMode) {
    this.#mode = mode;
    this.bytes = 0;
    if (mode === 'pass') this.#deliver(Infinity);
  }

  /** Reset every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #deliver(count: number): void {
    for (const deliver of this.#held.splice(0, count)) deliver();
  }

  #pipe(from: Socket, to: Socket, isUp: boolean): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (isUp) this.bytes += bytes.length;
      const deliver = (): void => void (to.destroyed || to.write(bytes));
      if (this.#mode === 'drop') return;
      this.#held.push(deliver);
      if (this.#mode === 'pass') this.#deliver(Infinity);
      else if (this.#mode === 'delay') setTimeout(() => this.#mode === 'delay' && this.#deliver(1), DELAY);
    });
    // Whatever ends one side ends the other; the reason is of no interest here.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
