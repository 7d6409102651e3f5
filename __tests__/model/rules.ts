import { TimeoutError } from '../../lib/index.js';
import { STORE_TIMEOUT, tagsOf, type Settings } from './commands.js';
import { KEYS, ttlByValue } from './world.js';
import type { Caller, Fence, Origin, World } from './world.js';

/**
 * What must hold in every world, whatever its store does: read off the history, with no idea of how the library works.
 * Says what was broken.
 */
export class Rules {
  readonly #world: World;
  readonly #settings: Settings;
  readonly #judged = new Set<Caller>();
  readonly #byValue = new Map<string, Origin>();

  constructor(world: World) {
    this.#world = world;
    this.#settings = world.settings;
    world.watchers.push({ started: (origin) => this.#started(origin), written: (value) => this.#written(value) });
  }

  /** To be called when all that can happen has happened. */
  check(): void {
    for (const caller of this.#world.callers) {
      if (this.#judged.has(caller)) continue;
      if (caller.state === 'pending') {
        if (caller.abortedAt !== undefined) this.#violated(caller, 'has not left');
        continue;
      }
      this.#judged.add(caller);
      if (caller.state === 'fulfilled') this.#fulfilled(caller);
      else this.#rejected(caller);
    }
  }

  /** To be called at the end, when everything has been settled and answered. */
  async checkEnd(): Promise<void> {
    this.check();
    const { callers, fences, wrappers, peeks, settings } = this.#world;
    for (const caller of callers) if (caller.state === 'pending') this.#violated(caller, 'waits for ever');
    for (const fence of fences) {
      if (fence.kind !== 'refresh' && fence.state === 'pending')
        this.#say(`a ${fence.kind} of ${fence.key} waits for ever`);
      if (fence.state === 'rejected') this.#controlFailed(fence);
    }
    for (const { key, answer } of peeks) this.#peeked(key, await answer);
    for (const key of KEYS) this.#leftOver(key);
    await Promise.all(wrappers.map((wrapper) => wrapper.settled()));
    wrappers.forEach((_wrapper, index) => this.#counters(index));
    if (settings.store === 'at once' || !settings.isFaulty) this.#discards();
  }

  #started(origin: Origin): void {
    this.#byValue.set(origin.value, origin);
    for (const other of this.#world.origins) {
      if (other === origin || other.key !== origin.key || !isLive(other)) continue;
      // Its time was up earlier in the same step.
      if (other.kind === 'run' && this.#world.time - other.startTime >= (this.#settings.timeout ?? Infinity)) continue;
      if (this.#isRefreshing(origin, other)) continue;
      this.#say(`${origin.value} starts while ${other.value} is under way`);
    }
  }

  /** The library detaches what runs before it starts a refresh, and the history says so only afterwards. */
  #isRefreshing(origin: Origin, other: Origin): boolean {
    const last = this.#world.callers.at(-1);
    const isRefresh = last?.kind === 'refresh' && last.madeAt === this.#world.now && origin.startedAt === last.madeAt;
    const wasRefresh = this.#world.callers.some(({ started }) => started === other);
    return isRefresh && !wasRefresh;
  }

  #written(value: string): void {
    const origin = this.#origin(value);
    if (origin === undefined) return this.#say(`${value} is written and came from nowhere`);
    if (origin.settledAt === undefined || origin.hasFailed) this.#say(`${value} is written and was never brought`);
    if (origin.isClose) return;
    if (origin.fencedAt !== undefined) this.#say(`${value} is written though it was fenced`);
    if (origin.voidAt !== undefined) this.#say(`${value} is written though its tags were invalidated`);
    if (origin.diedAt !== undefined) this.#say(`${value} is written though it had been given up`);
  }

  #fulfilled(caller: Caller): void {
    const origin = this.#origin(caller.outcome as string);
    if (caller.abortedAt !== undefined && caller.abortedAt < caller.endedAt) return this.#violated(caller, 'had left');
    if (origin === undefined) return this.#violated(caller, 'comes from nowhere');
    if (origin.key !== caller.key) return this.#violated(caller, 'belongs to another key');
    if (origin.settledAt === undefined || origin.hasFailed) return this.#violated(caller, 'was never brought');
    if (this.#wasOutOfReach(caller, origin)) return this.#violated(caller, 'was fenced before the call');
    if (this.#isOutdated(caller, origin)) this.#violated(caller, 'is older than what the call must see');
    if (this.#isInvalidated(caller, origin)) this.#violated(caller, 'has tags that were invalidated before the call');
    if (this.#isExpired(caller, origin)) this.#violated(caller, 'had expired before the call');
  }

  #rejected(caller: Caller): void {
    const { outcome } = caller;
    if (outcome === caller) {
      if (caller.abortedAt === undefined) this.#violated(caller, 'has left by itself');
      return;
    }
    if (caller.abortedAt !== undefined && caller.abortedAt < caller.endedAt) return this.#violated(caller, 'had left');
    if (outcome instanceof TimeoutError) {
      const isKnown = this.#world.origins.some(
        (origin) => origin.key === caller.key && origin.diedAt !== undefined && origin.diedAt > caller.madeAt,
      );
      if (!isKnown) this.#violated(caller, 'knows of no run that took too long');
      return;
    }
    const origin = this.#world.origins.find(({ error }) => error === outcome);
    if (origin === undefined) return this.#violated(caller, 'comes from nowhere');
    if (origin.key !== caller.key) return this.#violated(caller, 'belongs to another key');
    if (this.#wasOutOfReach(caller, origin)) return this.#violated(caller, 'was fenced before the call');
    const wasOver = origin.noticedAt !== undefined && origin.noticedAt < caller.madeAt;
    if (wasOver && !this.#isRemembered(caller, origin)) this.#violated(caller, 'was over before the call');
  }

  #isRemembered(caller: Caller, origin: Origin): boolean {
    if (origin.kind === 'prime' || caller.kind === 'refresh') return false;
    const wasForgotten = this.#world.fences.some(
      ({ kind, key, madeAt }) =>
        kind !== 'refresh' &&
        kind !== 'invalidate' &&
        (key ?? caller.key) === caller.key &&
        madeAt > origin.startedAt &&
        madeAt < caller.madeAt,
    );
    if (wasForgotten) return false;
    return caller.madeTime < origin.settleTime + this.#settings.errorTtl;
  }

  /** A fence detached it, and the call came after that. */
  #wasOutOfReach(caller: Caller, { isClose, hasFailed, settledAt, ...origin }: Origin): boolean {
    if (isClose) return false;
    const { kind, fencedAt = Infinity, diedAt = Infinity, voidAt = Infinity, looseAt } = origin;
    if (isPrimeUnderWay(caller, { kind, settledAt } as Origin)) return Math.min(fencedAt, diedAt) < caller.madeAt;
    // An error has no tags.
    const end = Math.min(fencedAt, diedAt, hasFailed ? Infinity : voidAt);
    // What goes on after an invalidation of other tags is not joined. Once stored it answers, also as a fallback.
    const wasLoose = looseAt !== undefined && looseAt < caller.madeAt && !(settledAt! < caller.endedAt);
    return end < caller.madeAt || wasLoose;
  }

  #hasWindows(): boolean {
    return this.#settings.staleWhileRevalidate + this.#settings.staleIfError > 0;
  }

  /** Invalidations of its tags between its start and the call. */
  #invalidations(caller: Caller, origin: Origin): Fence[] {
    const tags = tagsOf(origin.key, origin.value);
    return this.#world.fences.filter(
      ({ kind, madeAt, tags: invalidated }) =>
        kind === 'invalidate' &&
        madeAt > origin.startedAt &&
        madeAt < caller.madeAt &&
        tags.some((tag) => invalidated.includes(tag)),
    );
  }

  #isInvalidated(caller: Caller, origin: Origin): boolean {
    if (origin.isClose || isPrimeUnderWay(caller, origin)) return false;
    return this.#invalidations(caller, origin).some(({ isSoft }) => !isSoft || !this.#hasWindows());
  }

  /** Something newer, or nothing at all, stood in its place when the call was made. */
  #isOutdated(caller: Caller, origin: Origin): boolean {
    if (this.#world.tainted.has(caller.key)) return false;
    return this.#floor(caller) > origin.startedAt;
  }

  /** The moment before which nothing can have begun that the call may see. */
  #floor({ key, madeAt }: Caller): number {
    let floor = -Infinity;
    for (const fence of this.#world.fences) {
      const isForgetting = ['delete', 'clear', ...(this.#hasWindows() ? [] : ['expire'])].includes(fence.kind);
      const concerns = (fence.key === undefined || fence.key === key) && fence.madeAt < madeAt;
      // After a control has rejected, the store may still hold what it held.
      if (isForgetting && concerns && fence.state !== 'rejected') floor = Math.max(floor, fence.madeAt);
    }
    for (const origin of this.#world.origins) {
      const isPublished =
        origin.key === key && !origin.hasFailed && !origin.isClose && this.#lifetime(origin.value) > 0;
      if (!isPublished || [origin.fencedAt, origin.diedAt, origin.voidAt].some((end) => end !== undefined)) continue;
      if (origin.noticedAt !== undefined && origin.noticedAt < madeAt) floor = Math.max(floor, origin.startedAt);
    }
    return floor;
  }

  #isExpired(caller: Caller, origin: Origin): boolean {
    const wasOver = origin.noticedAt !== undefined && origin.noticedAt < caller.madeAt;
    const prime = this.#world.fences.find((fence) => fence.origin === origin && fence.kind === 'prime');
    // Who calls while somebody primes gets that value, whatever its ttl.
    if (!wasOver || (prime !== undefined && !(prime.endedAt < caller.madeAt))) return false;
    const { staleWhileRevalidate, staleIfError } = this.#settings;
    const ends = this.#ends(caller, origin).map(
      ({ madeTime }) => madeTime + Math.max(staleWhileRevalidate, staleIfError),
    );
    // What is stored after an invalidation that failed, or is under way, is stamped a millisecond later than that.
    const before = this.#world.fences.filter(({ madeTime }) => madeTime === origin.settleTime);
    const stampedAt = origin.settleTime + Math.max(this.#settings.isFaulty ? 1 : 0, before.length);
    return caller.madeTime >= Math.min(stampedAt + this.#lifetime(origin.value), ...ends);
  }

  /** What has ended its `ttl` before the call. */
  #ends(caller: Caller, origin: Origin): Fence[] {
    if (origin.isClose || this.#world.tainted.has(origin.key)) return [];
    const expiries = this.#world.fences.filter(
      ({ kind, key, madeAt, state }) =>
        kind === 'expire' &&
        key === origin.key &&
        state === 'fulfilled' &&
        madeAt > (origin.noticedAt ?? Infinity) &&
        madeAt < caller.madeAt,
    );
    return [...expiries, ...this.#invalidations(caller, origin).filter(({ isSoft }) => isSoft)];
  }

  #lifetime(value: string): number {
    const { ttl, staleWhileRevalidate, staleIfError } = this.#settings;
    const own = ttl === 'by value' ? ttlByValue(value) : ttl;
    return own + Math.max(staleWhileRevalidate, staleIfError);
  }

  /** Nothing that was forgotten has come back, whatever landed late. */
  #leftOver(key: number): void {
    const { stored, undeleted, fences } = this.#world;
    const value = stored.get(`load|#${key}`)?.value;
    const origin = value === undefined ? undefined : this.#origin(value);
    if (origin === undefined || undeleted.has(key)) return;
    const forgetting = fences.find(
      (fence) =>
        (fence.kind === 'delete' || fence.kind === 'clear') &&
        (fence.key ?? key) === key &&
        fence.state === 'fulfilled' &&
        fence.madeAt > origin.startedAt,
    );
    if (forgetting !== undefined) this.#say(`${value} is stored after a ${forgetting.kind} of ${key}`);
  }

  #peeked(key: number, value: string | undefined): void {
    if (value === undefined) return;
    const origin = this.#origin(value);
    if (origin?.key !== key) this.#say(`a peek at ${key} sees ${value}`);
  }

  #controlFailed({ kind, key, outcome, origin }: Fence): void {
    const isOfStore = outcome instanceof TimeoutError && outcome.timeout === STORE_TIMEOUT;
    const isOfTest = outcome instanceof Error && outcome.message === 'the store failed';
    if (outcome === origin?.error || (this.#settings.isFaulty && (isOfStore || isOfTest))) return;
    const isSlow =
      this.#settings.store === 'by hand' &&
      isOfStore &&
      (kind === 'expire' || (key === undefined ? KEYS : [key]).some((one) => this.#world.tainted.has(one)));
    if (!isSlow) this.#say(`a ${kind} of ${key} rejects with ${String(outcome)}`);
  }

  #counters(index: number): void {
    const stats = { ...this.#world.wrappers[index]?.stats() } as Record<string, number>;
    const own = this.#world.events.filter(({ wrapper }) => wrapper === index).map(({ event }) => event);
    const heard = (type: string): number => own.filter((event) => event.type === type).length;
    const ran = (outcome: string): number =>
      own.filter((event) => event.type === 'run' && event.outcome === outcome).length;
    const callers = this.#world.callers.filter(({ wrapper }) => wrapper === index);
    const runs = this.#world.origins.filter(({ kind, wrapper }) => kind === 'run' && wrapper === index);
    const accepted = callers.filter(({ kind, wasAborted }) => kind === 'call' && !wasAborted);
    const left = callers.filter((caller) => caller.outcome === caller && !caller.wasAborted);
    const expected = {
      hits: heard('hit'),
      stale: heard('stale'),
      joins: heard('join'),
      misses: heard('miss'),
      received: accepted.length,
      runs: runs.length,
      ended: runs.length,
      errors: ran('rejected'),
      timeouts: ran('timeout'),
      timeoutEvents: ran('timeout'),
      fallbacks: heard('fallback'),
      discards: heard('discard'),
      aborts: left.length,
      abortEvents: left.length,
      storeErrors: heard('store-error'),
      unleased: 0,
      inFlight: 0,
    };
    const actual = {
      ...stats,
      received: heard('hit') + heard('stale') + heard('join') + heard('miss'),
      ended: heard('run'),
      timeoutEvents: heard('timeout'),
      abortEvents: heard('abort'),
    } as Record<string, number>;
    for (const [counter, count] of Object.entries(expected)) {
      if (actual[counter] !== count) this.#say(`wrapper ${index} counts ${actual[counter]} ${counter}, not ${count}`);
    }
  }

  /** Each result that a fence refused is told of, and no other. */
  #discards(): void {
    // With tags the reference says it.
    if (this.#settings.isTagged || this.#world.origins.some(({ isClose }) => isClose)) return;
    const refused = this.#world.origins.filter(
      ({ fencedAt, diedAt, settledAt, hasFailed }) =>
        fencedAt !== undefined && diedAt === undefined && settledAt !== undefined && !hasFailed,
    );
    const told = this.#world.events.filter(({ event }) => event.type === 'discard').length;
    if (told !== refused.length)
      this.#say(`${told} results were discarded, not ${refused.map(({ value }) => value).join(', ')}`);
  }

  #origin(value: string): Origin | undefined {
    return this.#byValue.get(value) ?? this.#world.origins.find((origin) => origin.value === value);
  }

  #violated(caller: Caller, what: string): void {
    const outcome =
      caller.outcome instanceof Error
        ? caller.outcome.message
        : String(caller.outcome === caller ? 'leaving' : caller.outcome);
    this.#say(`a ${caller.kind} of ${caller.key} made at ${caller.madeAt}: ${caller.state} (${outcome}): ${what}`);
  }

  #say(violation: string): void {
    this.#world.violations.push(violation);
  }
}

/** Under way, so that nothing else may run for its key. */
/** A prime is no run: until its value is there, later calls wait for it. */
function isPrimeUnderWay({ madeAt }: Caller, { kind, settledAt }: Origin): boolean {
  return kind === 'prime' && !(settledAt! < madeAt);
}

function isLive({ settledAt, fencedAt, diedAt, looseAt }: Origin): boolean {
  return [settledAt, fencedAt, diedAt, looseAt].every((end) => end === undefined);
}
