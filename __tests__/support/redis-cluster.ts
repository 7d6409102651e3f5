import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { TestServer, until } from './redis-server.js';
import type { AddressInfo } from 'node:net';

const SLOTS = 16_384;

/** How many masters there are. */
const SIZE = 3;

/** Three masters on loopback. */
export class TestCluster {
  readonly ports: readonly number[];
  /** A plain connection to each master. */
  readonly nodes: readonly Redis[];
  readonly #servers: readonly TestServer[];

  private constructor(ports: readonly number[], servers: readonly TestServer[]) {
    this.ports = ports;
    this.#servers = servers;
    this.nodes = ports.map((port) => new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 }));
    // The servers may still be starting.
    for (const node of this.nodes) node.on('error', () => undefined);
  }

  static async start(): Promise<TestCluster> {
    const free = await freePorts(2 * SIZE);
    const ports = free.slice(0, SIZE);
    const busPorts = free.slice(SIZE);
    const servers = await Promise.all(
      ports.map((port, index) => TestServer.start(...settings(port, busPorts[index]!))),
    );
    const cluster = new TestCluster(ports, servers);
    await cluster.#meet(busPorts);
    return cluster;
  }

  async flush(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.flushall()));
  }

  /** kill -9 of one master. */
  kill(index: number): Promise<void> {
    return this.#servers[index]!.kill();
  }

  freeze(index: number): void {
    this.#servers[index]!.freeze();
  }

  thaw(index: number): void {
    this.#servers[index]!.thaw();
  }

  /** Begins to move a slot from one master to another. Returns a function that takes it back. */
  async moveSlot(slot: number, from: number, to: number): Promise<() => Promise<void>> {
    const idOf = async (index: number): Promise<string> => String(await this.nodes[index]!.call('cluster', 'myid'));
    await this.nodes[to]!.call('cluster', 'setslot', String(slot), 'importing', await idOf(from));
    await this.nodes[from]!.call('cluster', 'setslot', String(slot), 'migrating', await idOf(to));
    return async () => {
      for (const index of [from, to]) await this.nodes[index]!.call('cluster', 'setslot', String(slot), 'stable');
    };
  }

  /** The index of the master of a slot. */
  masterOf(slot: number): number {
    return Math.min(SIZE - 1, Math.floor(((slot + 1) * SIZE - 1) / SLOTS));
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.disconnect();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  async #meet(busPorts: readonly number[]): Promise<void> {
    const { nodes, ports } = this;
    await Promise.all(
      nodes.map((node, index) => {
        const first = Math.floor((index * SLOTS) / SIZE);
        const last = Math.floor(((index + 1) * SLOTS) / SIZE) - 1;
        return node.call('cluster', 'addslotsrange', String(first), String(last));
      }),
    );
    for (let index = 1; index < SIZE; index += 1) {
      await nodes[0]!.call('cluster', 'meet', '127.0.0.1', String(ports[index]), String(busPorts[index]));
    }
    for (const node of nodes) {
      await until(async () => String(await node.call('cluster', 'info')).includes('cluster_state:ok'), 'the cluster');
      await until(async () => lines(await node.call('cluster', 'nodes')) === SIZE, 'the nodes to know each other');
    }
  }
}

function settings(port: number, busPort: number): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1'],
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
  ];
}

function lines(reply: unknown): number {
  return String(reply).trim().split('\n').length;
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
