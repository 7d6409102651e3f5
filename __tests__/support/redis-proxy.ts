import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** `pass`; `hold`: keep bytes for later; `drop`: lose them; `delay`: 30 ms each way. */
export type ProxyMode = 'pass' | 'hold' | 'drop' | 'delay';

const DELAY = 30;

/** A network between a client and a server, both on unix sockets, that can misbehave. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
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
    if (mode !== 'pass') return;
    const held = this.#held;
    this.#held = [];
    for (const deliver of held) deliver();
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

  #pipe(from: Socket, to: Socket, isUp: boolean): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (isUp) this.bytes += bytes.length;
      const deliver = (): void => void (to.destroyed || to.write(bytes));
      if (this.#mode === 'pass') deliver();
      else if (this.#mode === 'hold') this.#held.push(deliver);
      else if (this.#mode === 'delay') setTimeout(deliver, DELAY);
    });
    // Whatever ends one side ends the other; the reason is of no interest here.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
