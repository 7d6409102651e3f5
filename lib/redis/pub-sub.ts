import { startTimer } from '../platform/timer.js';
import { createSubscriber } from './subscriber.js';
import type { Timer } from '../platform/timer.js';
import type { Commands } from './commands.js';
import type { Subscriber } from './subscriber.js';

export interface Listener {
  /** A message has come. */
  message(channel: string, text: string): void;
  /** Messages of these channels arrive from now on. */
  confirmed?(): void;
  /** Messages may have been lost, and more may be. */
  lost?(): void;
}

export interface Listening {
  /** True while messages arrive. */
  readonly isConfirmed: boolean;
  stop(): void;
}

/** How often a watched connection is asked whether it still stands, and how long it may take to answer. */
const HEARTBEAT = 5_000;

/** How long to wait before another connection is opened, in milliseconds. */
const REOPEN_PAUSE = 1_000;

class Channel {
  readonly listeners = new Set<Listener>();
  isConfirmed = false;
}

/**
 * Pushed messages, over one connection for all channels. They are hints only: a message that is lost costs time, never
 * a wrong value. Opened at the first need, closed when the user's client ends.
 */
export class WakeUp {
  readonly #commands: Commands;
  readonly #given: unknown;
  readonly #channels = new Map<string, Channel>();
  #subscriber: Subscriber | undefined;
  #isOpening = false;
  #isUp = false;
  #isClosed = false;
  /** Listeners that must know at once when the connection is lost. */
  #watchers = 0;
  #timer: Timer | undefined;
  #stopListeningForEnd: (() => void) | undefined;

  /** @param given A client to subscribe with; `undefined`: a duplicate of the other one. */
  constructor(commands: Commands, given: unknown) {
    this.#commands = commands;
    this.#given = given;
  }

  /** False where there is nothing to subscribe with. */
  get isPossible(): boolean {
    return this.#given !== undefined || this.#commands.canDuplicate;
  }

  /** @param isWatched Whether a silent loss of the connection has to be found out. */
  listen(channels: readonly string[], listener: Listener, isWatched: boolean): Listening {
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

  /** Closes what is ours; nothing is opened again. */
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
    // Where it fails the connection is gone, and the subscription with it.
    if (idle.length > 0 && this.#isUp) this.#subscriber?.unsubscribe(idle).catch(ignore);
  }

  #open(): void {
    if (this.#subscriber !== undefined || this.#isOpening || this.#isClosed || this.#commands.isEnded()) return;
    if (this.#given !== undefined) return this.#use(this.#given, false);
    const duplicate = this.#commands.duplicate();
    if (!(duplicate instanceof Promise)) {
      if (duplicate !== undefined) this.#use(duplicate, true);
      return;
    }
    this.#isOpening = true;
    const opened = (client: unknown): void => {
      this.#isOpening = false;
      if (client === undefined) this.#reopenLater();
      else this.#use(client, true);
    };
    duplicate.then(opened, () => opened(undefined));
  }

  #use(client: unknown, isOwn: boolean): void {
    const isCurrent = (): boolean => subscriber !== undefined && this.#subscriber === subscriber;
    const subscriber: Subscriber = createSubscriber(client, {
      isOwn,
      handlers: {
        message: (channel, text) => this.#deliver(channel, text),
        up: () => isCurrent() && this.#up(),
        down: () => isCurrent() && this.#down(),
        ended: () => {
          if (!isCurrent()) return;
          this.#discard();
          this.#reopenLater();
        },
      },
    });
    if (this.#isClosed) return subscriber.close();
    this.#subscriber = subscriber;
    this.#stopListeningForEnd ??= this.#commands.onEnd(() => this.#discard());
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

  /** Let go of the connection; what listens goes by the clock, or waits for the next one. */
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
      // Refused, or the connection was lost: waiting goes by the clock until the next one stands.
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

  /** A connection may die without a word; somebody who keeps values for its sake has to find out. */
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
