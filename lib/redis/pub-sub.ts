import { startTimer } from '../platform/timer.js';
import { ignore } from './clients/client.js';
import { HomeContext } from '../platform/home-context.js';
import type { Timer } from '../platform/timer.js';
import type { MessageSource, Subscriber } from './clients/client.js';

export interface Listener {
  /** A message has arrived. */
  message(channel: string, text: string): void;
  /** Messages of these channels arrive from now on. */
  confirmed?(): void;
  /** Messages may have been lost, and more may be lost until `confirmed`. */
  lost?(): void;
  /** The server does not let this user subscribe. It is asked again now and then. */
  refused?(error: unknown): void;
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

/** How often a watched connection is pinged, and how long the answer, or opening one, may take, in milliseconds. */
const HEARTBEAT = 5_000;

/** How long to wait before another connection is opened, in milliseconds: at first, and at most. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

class Channel {
  readonly listeners = new Set<Listener>();
  isConfirmed = false;
}

/**
 * Messages of the server, on one connection for all channels and all stores of a client. They are hints: a lost message
 * costs time and never brings a wrong value. The connection is opened at the first need, and again, on any node that
 * lives, while there is a need. It is closed when the user's client ends.
 */
export class PubSub {
  readonly #source: MessageSource;
  readonly #isReply: (error: unknown) => boolean;
  readonly #home = new HomeContext();
  readonly #channels = new Map<string, Channel>();
  #subscriber: Subscriber | undefined;
  /** Stands for the connection that is being opened or open. */
  #attempt: object | undefined;
  #isUp = false;
  #pause = FIRST_PAUSE;
  /** How many listeners must know at once when the connection is lost. */
  #watchers = 0;
  #heartbeat: Timer | undefined;
  #reopening: Timer | undefined;
  #stopListeningForEnd: (() => void) | undefined;

  constructor(source: MessageSource, isReply: (error: unknown) => boolean) {
    this.#source = source;
    this.#isReply = isReply;
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
    this.#home.run(() => {
      this.#open();
      if (isWatched) this.#beat();
    });
    if (this.#isUp && fresh.length > 0) this.#subscribe(fresh);
    const areConfirmed = (): boolean => channels.every((name) => this.#channels.get(name)?.isConfirmed === true);
    let isStopped = false;
    return {
      get isConfirmed() {
        return !isStopped && areConfirmed();
      },
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        if (isWatched) this.#watchers -= 1;
        this.#leave(channels, listener);
      },
    };
  }

  /** Closes the connection, unless it was given. The next `listen` opens another. */
  close(): void {
    this.#reopening?.stop();
    this.#heartbeat?.stop();
    this.#reopening = this.#heartbeat = undefined;
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
    if (this.#attempt !== undefined || this.#channels.size === 0 || this.#source.isEnded()) return;
    const attempt = (this.#attempt = {});
    const isCurrent = (): boolean => this.#attempt === attempt;
    const fail = (): void => {
      if (!isCurrent()) return;
      this.#discard();
      this.#reopenLater();
    };
    const limit = startTimer(HEARTBEAT, fail);
    const handlers = {
      message: (channel: string, text: string) => {
        if (isCurrent()) this.#deliver(channel, text);
      },
      up: () => {
        limit.stop();
        if (isCurrent()) this.#up();
      },
      down: () => {
        if (isCurrent()) this.#down();
      },
      ended: () => {
        limit.stop();
        fail();
      },
    };
    const opened = (subscriber: Subscriber | undefined): void => {
      if (!isCurrent()) return subscriber?.close();
      if (subscriber === undefined) return handlers.ended();
      this.#subscriber = subscriber;
      this.#stopListeningForEnd = this.#source.onEnd(() => this.#discard());
    };
    try {
      const opening = this.#source.open(handlers);
      if (opening instanceof Promise) opening.then(opened, handlers.ended);
      else opened(opening);
    } catch {
      // A client may throw where it should fail later.
      handlers.ended();
    }
  }

  #up(): void {
    this.#isUp = true;
    this.#pause = FIRST_PAUSE;
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
    this.#attempt = this.#subscriber = undefined;
    this.#stopListeningForEnd?.();
    this.#stopListeningForEnd = undefined;
    if (subscriber === undefined) return;
    this.#down();
    subscriber.close();
  }

  #reopenLater(): void {
    if (this.#channels.size === 0 || this.#reopening !== undefined) return;
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE);
    this.#home.run(() => {
      this.#reopening?.stop();
      this.#reopening = startTimer(pause, () => {
        this.#reopening = undefined;
        this.#open();
      });
    });
  }

  #subscribe(names: readonly string[]): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined || names.length === 0) return;
    subscriber.subscribe(names).then(
      () => {
        if (this.#subscriber === subscriber && this.#isUp) this.#confirm(names);
      },
      (error: unknown) => {
        // Otherwise the connection was lost, which shows in its events.
        if (this.#subscriber !== subscriber || !this.#isReply(error)) return;
        for (const listener of this.#listenersOf(names)) listener.refused?.(error);
      },
    );
  }

  #confirm(names: readonly string[]): void {
    const fresh = names.filter((name) => this.#channels.get(name)?.isConfirmed === false);
    for (const name of fresh) this.#channels.get(name)!.isConfirmed = true;
    for (const listener of this.#listenersOf(fresh)) listener.confirmed?.();
  }

  #listenersOf(names: readonly string[]): ReadonlySet<Listener> {
    return new Set(names.flatMap((name) => [...(this.#channels.get(name)?.listeners ?? [])]));
  }

  #deliver(name: string, text: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    for (const listener of [...channel.listeners]) listener.message(name, text);
  }

  /** A connection may die without an event. A near store must know, so the connection is pinged. */
  #beat(): void {
    if (this.#heartbeat !== undefined || this.#watchers === 0) return;
    this.#heartbeat = startTimer(HEARTBEAT, () => {
      this.#heartbeat = undefined;
      if (this.#watchers === 0) return;
      if (this.#isUp && this.#subscriber !== undefined) {
        this.#ping(this.#subscriber);
        this.#subscribe([...this.#channels].filter(([, { isConfirmed }]) => !isConfirmed).map(([name]) => name));
      }
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
