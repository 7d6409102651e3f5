import type { Listener, PubSub, Subscription, SubscriptionOptions } from './pub-sub.js';

/** How many stores use a connection for messages. It is closed with the last of them. */
const users = new WeakMap<PubSub, Set<Subscriptions>>();

/** The part of one store in the connection for messages of its client. */
export class Subscriptions {
  readonly #pubSub: PubSub | undefined;
  readonly #open = new Map<Subscription, Listener>();
  #isClosed = false;

  /** @param pubSub `undefined` where no messages can be had. */
  constructor(pubSub: PubSub | undefined) {
    this.#pubSub = pubSub;
  }

  get isPossible(): boolean {
    return this.#pubSub !== undefined;
  }

  listen(channels: readonly string[], listener: Listener, options: SubscriptionOptions): Subscription {
    const pubSub = this.#pubSub;
    if (pubSub === undefined || this.#isClosed) return { isConfirmed: false, stop: () => undefined };
    const others = users.get(pubSub);
    if (others === undefined) users.set(pubSub, new Set([this]));
    else others.add(this);
    const subscription = pubSub.listen(channels, listener, options);
    this.#open.set(subscription, listener);
    return {
      get isConfirmed() {
        return subscription.isConfirmed;
      },
      stop: () => {
        this.#open.delete(subscription);
        subscription.stop();
      },
    };
  }

  /** Ends all subscriptions of this store, for good. */
  close(): void {
    this.#isClosed = true;
    const ended = [...this.#open];
    this.#open.clear();
    for (const [subscription, listener] of ended) {
      subscription.stop();
      listener.lost?.();
    }
    const others = this.#pubSub && users.get(this.#pubSub);
    if (others?.delete(this) === true && others.size === 0) this.#pubSub?.close();
  }
}
