import { startTimer } from '../platform/timer.js';
import { attachSubscriber } from './clients/detect-client.js';
import type { Timer } from '../platform/timer.js';
import type { Client, Subscriber, SubscriberHandlers } from './clients/client.js';

export interface Listener {
  /** A message has arrived. */
  message(channel: string, text: string): void;
  /** Messages of these channels arrive from now on. */
  confirmed?(): void;
  /** Messages may have been lost, and more may be lost until `confirmed`. */
  lost?(): void;
}

export interface Subscription {
  /** True while messages arrive. */
  readonly isConfirmed: boolean;
  stop(): void;
}

export interface SubscriptionOptions {
  /** Whether a silent loss of the connection must be noticed. */
  readonly isWatched: boolean;
}

/** How often a watched connection is pinged, and how long the answer may take, in milliseconds. */
const HEARTBEAT = 5_000;

/** How long to wait before another connection is opened, in milliseconds. */
const REOPEN_PAUSE = 1_000;

class Channel {
  readonly listeners = new Set<Listener>();
  isConfirmed = false;
}

/**
 * Messages of the server, on one connection for all channels. They are hints: a lost message costs time and never
 * brings a wrong value. The connection is opened at the first need and closed when the user's client ends.
 */
export class PubSub {
  readonly #client: Client;
  readonly #given: unknown;
  readonly #channels = new Map<string, Channel>();
  #subscriber: Subscriber | undefined;
  #isOpening = false;
  #isUp = false;
  #isClosed = false;
  /** How many listeners must know at once when the connection is lost. */
  #watchers = 0;
  #timer: Timer | undefined;
  #stopListeningForEnd: (() => void) | undefined;

  /** @param given A connection for messages that the user has opened. `undefined`: a duplicate of `client` is opened. */
  constructor(client: Client, given: unknown) {
    this.#client = client;
    this.#given = given;
  }

  /** False where no connection for messages can be had. */
  get isPossible(): boolean {
    return this.#given !== undefined || this.#client.canDuplicate;
  }

  listen(channels: readonly string[], listener: Listener, { isWatched }: SubscriptionOptions): Subscription {
    const fresh: string[] = [];
    for (const name of channels) {
      let channel = this.#channels.get(name);
      if (channel === undefined) this.#channels.set(name, (channel = new Channel()));
      if (channel.listeners.size === 0) fresh.push(name);
      channel.listeners.add(listener);
    }
    if (isWatched) this.#watchers += 1;
    this.#open();
    if (this.#isUp && fresh.length > 0) this.#subscribe(fresh);
    if (isWatched) this.#beat();
    const areConfirmed = (): boolean => channels.every((name) => this.#channels.get(name)?.isConfirmed === true);
    return {
      get isConfirmed() {
        return areConfirmed();
      },
      stop: () => {
        if (isWatched) this.#watchers -= 1;
        this.#leave(channels, listener);
      },
    };
  }

  /** Closes the connection, unless it was given. None is opened any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.stop();
    this.#discard();
  }

  #leave(channels: readonly string[], listener: Listener): void {
    const idle = channels.filter((name) => {
      const channel = this.#channels.get(name);
      if (channel?.listeners.delete(listener) !== true || channel.listeners.size > 0) return false;
      this.#channels.delete(name);
      return true;
    });
    // Where it fails the connection is lost, and the subscription with it.
    if (idle.length > 0 && this.#isUp) this.#subscriber?.unsubscribe(idle).catch(ignore);
  }

  #open(): void {
    if (this.#subscriber !== undefined || this.#isOpening || this.#isClosed || this.#client.isEnded()) return;
    let subscriber: Subscriber | undefined;
    const isCurrent = (): boolean => subscriber !== undefined && this.#subscriber === subscriber;
    const handlers: SubscriberHandlers = {
      message: (channel, text) => this.#deliver(channel, text),
      up: () => isCurrent() && this.#up(),
      down: () => isCurrent() && this.#down(),
      ended: () => {
        if (!isCurrent()) return;
        this.#discard();
        this.#reopenLater();
      },
    };
    const opened = (current: Subscriber): void => {
      if (this.#isClosed) return current.close();
      this.#subscriber = subscriber = current;
      this.#stopListeningForEnd ??= this.#client.onEnd(() => this.#discard());
    };
    if (this.#given !== undefined) return opened(attachSubscriber(this.#given, handlers));
    const opening = this.#client.openSubscriber(handlers);
    if (!(opening instanceof Promise)) {
      if (opening !== undefined) opened(opening);
      return;
    }
    this.#isOpening = true;
    const settled = (result: Subscriber | undefined): void => {
      this.#isOpening = false;
      if (result === undefined) this.#reopenLater();
      else opened(result);
    };
    opening.then(settled, () => settled(undefined));
  }

  #up(): void {
    this.#isUp = true;
    this.#subscribe([...this.#channels.keys()]);
  }

  #down(): void {
    this.#isUp = false;
    const listeners = new Set<Listener>();
    for (const channel of this.#channels.values()) {
      channel.isConfirmed = false;
      for (const listener of channel.listeners) listeners.add(listener);
    }
    for (const listener of listeners) listener.lost?.();
  }

  /** Detaches from the connection. Waiting processes poll until the next one is confirmed. */
  #discard(): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#stopListeningForEnd?.();
    this.#stopListeningForEnd = undefined;
    if (subscriber === undefined) return;
    this.#down();
    subscriber.close();
  }

  #reopenLater(): void {
    if (this.#watchers > 0 && !this.#isClosed) startTimer(REOPEN_PAUSE, () => this.#open());
  }

  #subscribe(names: readonly string[]): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined || names.length === 0) return;
    subscriber.subscribe(names).then(
      () => {
        if (this.#subscriber === subscriber && this.#isUp) this.#confirm(names);
      },
      // Refused, or the connection was lost: waiting processes poll until the next one is confirmed.
      ignore,
    );
  }

  #confirm(names: readonly string[]): void {
    const listeners = new Set<Listener>();
    for (const name of names) {
      const channel = this.#channels.get(name);
      if (channel === undefined || channel.isConfirmed) continue;
      channel.isConfirmed = true;
      for (const listener of channel.listeners) listeners.add(listener);
    }
    for (const listener of listeners) listener.confirmed?.();
  }

  #deliver(name: string, text: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    for (const listener of [...channel.listeners]) listener.message(name, text);
  }

  /** A connection may die without an event. A near store must know, so the connection is pinged. */
  #beat(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = startTimer(HEARTBEAT, () => {
      this.#timer = undefined;
      if (this.#watchers === 0) return;
      this.#open();
      if (this.#isUp && this.#subscriber !== undefined) this.#ping(this.#subscriber);
      this.#beat();
    });
  }

  #ping(subscriber: Subscriber): void {
    const silent = (): void => {
      answer.stop();
      if (this.#subscriber !== subscriber) return;
      this.#discard();
      this.#open();
    };
    const answer = startTimer(HEARTBEAT, silent);
    subscriber.ping().then(() => answer.stop(), silent);
  }
}

function ignore(): void {}
