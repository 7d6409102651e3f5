import { tagsOf } from './commands.js';
import { ttlByValue } from './world.js';
import type { Settings } from './commands.js';

/** How a caller of the reference stands. */
export interface ReferenceCaller {
  readonly wrapper: number;
  readonly mayLeave: boolean;
  state: 'pending' | 'fulfilled' | 'rejected' | 'left';
  /** A value, the name of the origin of an error, or `timeout`. */
  outcome: string | undefined;
}

interface Stored {
  readonly value: string;
  readonly storedAt: number;
  readonly freshUntil: number;
  /** Its tags that were invalidated softly. */
  readonly ended: readonly string[];
}

type Worth = 'fresh' | 'stale' | 'fallback' | 'expired';

/** Something callers wait for: a run, a primed value on its way, or, for those with an old value, the run of somebody else. */
interface Wait {
  readonly kind: 'call' | 'refresh' | 'background' | 'prime' | 'follow';
  readonly key: number;
  readonly wrapper: number;
  readonly name: string | undefined;
  readonly leader: Wait | undefined;
  readonly followers: Wait[];
  fallback: Stored | undefined;
  readonly canBeAborted: boolean;
  readonly softAt: number;
  readonly endsAt: number;
  callers: ReferenceCaller[];
  /** Somebody waits, or has waited, who never leaves. */
  isPinned: boolean;
  isFenced: boolean;
  /** Tags that were invalidated since it began. */
  readonly invalidated: Set<string>;
  isOver: boolean;
  hasAnsweredEarly: boolean;
}

/**
 * The library as the contract describes it, where the store answers at once: one pure step after another, no promise, no
 * timer. It names the runs in the order in which they start.
 */
export class Reference {
  readonly callers: ReferenceCaller[] = [];
  /** What was heard, in this order: `wrapper type key details`. */
  readonly events: string[] = [];
  /** Keys of the runs that were started, by name. */
  readonly runs = new Map<string, number>();
  /** Runs whose signal has been aborted. */
  readonly aborted = new Set<string>();
  readonly #settings: Settings;
  readonly #stored = new Map<number, Stored>();
  readonly #errors = new Map<number, { readonly name: string; readonly until: number }>();
  /** What a call joins at once. */
  readonly #ahead = new Map<number, Wait>();
  /** Refreshes and background runs. */
  readonly #behind = new Map<number, Wait>();
  #waits: Wait[] = [];
  #now = 0;
  #originCount = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Each run and each prime has a number of its own. */
  #nameOrigin(kind: 'run' | 'prime'): string {
    const name = `${kind} ${this.#originCount}`;
    this.#originCount += 1;
    return name;
  }

  call(wrapper: number, key: number, signal: 'none' | 'own' | 'aborted'): void {
    const caller = this.#caller(wrapper, signal !== 'none');
    if (signal === 'aborted') return void (caller.state = 'left');
    const ahead = this.#ahead.get(key);
    if (ahead !== undefined) return this.#join(caller, ahead);

    const stored = this.#stored.get(key);
    const worth = this.#worthOf(stored);
    if (stored !== undefined && worth === 'fresh') return this.#answer(caller, key, 'hit', stored.value);
    const error = this.#errors.get(key);
    const isRemembered = error !== undefined && this.#now < error.until;
    if (stored !== undefined && (worth === 'stale' || (worth === 'fallback' && isRemembered))) {
      this.#answer(caller, key, 'stale', stored.value);
      if (!isRemembered && !this.#behind.has(key)) this.#run('background', wrapper, key, caller.mayLeave);
      return;
    }
    if (isRemembered) {
      this.#tell(wrapper, 'hit', key);
      Object.assign(caller, { state: 'rejected', outcome: error.name });
      return;
    }
    const fallback = worth === 'fallback' ? stored : undefined;
    const behind = this.#behind.get(key);
    if (behind !== undefined && fallback === undefined) return this.#join(caller, behind);
    this.#tell(wrapper, behind === undefined ? 'miss' : 'join', key);
    const wait =
      behind === undefined
        ? this.#run('call', wrapper, key, caller.mayLeave, fallback)
        : this.#wait({ kind: 'follow', wrapper, key, leader: behind, fallback });
    this.#enter(caller, wait);
  }

  refresh(wrapper: number, key: number, mayLeave: boolean): void {
    const caller = this.#caller(wrapper, mayLeave);
    const behind = this.#behind.get(key);
    if (behind?.kind === 'refresh') return this.#enter(caller, behind);
    this.#detach(key);
    this.#enter(caller, this.#run('refresh', wrapper, key, mayLeave));
  }

  delete(key: number): boolean {
    this.#detach(key);
    this.#errors.delete(key);
    return this.#stored.delete(key);
  }

  expire(key: number): boolean {
    const { staleWhileRevalidate, staleIfError } = this.#settings;
    if (staleWhileRevalidate + staleIfError === 0) return this.delete(key);
    this.#detach(key);
    this.#errors.delete(key);
    const stored = this.#stored.get(key);
    if (stored === undefined || this.#worthOf(stored) === 'expired') return false;
    this.#stored.set(key, { ...stored, freshUntil: Math.min(stored.freshUntil, this.#now) });
    return true;
  }

  invalidate(tags: readonly string[], isSoft: boolean): void {
    for (const wait of this.#waits) {
      for (const tag of tags) wait.invalidated.add(tag);
    }
    // A primed value is no result of a run, so later calls wait for it.
    for (const [key, wait] of this.#ahead) if (wait.kind !== 'prime') this.#ahead.delete(key);
    this.#behind.clear();
    for (const [key, stored] of this.#stored) {
      const hit = tagsOf(key, stored.value).filter((tag) => tags.includes(tag));
      if (hit.length === 0) continue;
      if (!isSoft) this.#stored.delete(key);
      else this.#stored.set(key, this.#endSoftly(stored, hit));
    }
  }

  /** Only the last two soft ones of a tag are remembered: at the second one an entry ends when it was stored. */
  #endSoftly(stored: Stored, tags: readonly string[]): Stored {
    const end = tags.some((tag) => stored.ended.includes(tag)) ? stored.storedAt : this.#now;
    return { ...stored, freshUntil: Math.min(stored.freshUntil, end), ended: [...stored.ended, ...tags] };
  }

  clear(keys: readonly number[]): void {
    for (const key of keys) this.delete(key);
  }

  peek(key: number): string | undefined {
    const stored = this.#stored.get(key);
    return this.#worthOf(stored) === 'expired' ? undefined : stored?.value;
  }

  prime(wrapper: number, key: number, how: 'plain' | 'promised'): void {
    this.#detach(key);
    this.#errors.delete(key);
    const name = this.#nameOrigin('prime');
    if (how === 'plain') this.#store(key, name);
    else this.#wait({ kind: 'prime', wrapper, key, name });
  }

  /** A run or a primed promise settles. */
  settle(name: string, hasFailed: boolean): void {
    const wait = this.#waits.find((candidate) => candidate.name === name);
    if (wait === undefined || wait.isOver) return;
    if (hasFailed) this.#failed(wait, name);
    else this.#succeeded(wait, name);
  }

  /** Caller number `index` leaves. */
  abort(index: number): void {
    const caller = this.callers[index];
    const wait = this.#waits.find(({ callers }) => caller !== undefined && callers.includes(caller));
    if (caller?.state !== 'pending' || wait === undefined) return;
    caller.state = 'left';
    this.#tell(caller.wrapper, 'abort', wait.key);
    this.#leave(wait, caller);
  }

  advance(to: number): void {
    for (;;) {
      const due = this.#waits
        .flatMap((wait) => [
          { at: wait.isOver || wait.hasAnsweredEarly ? Infinity : wait.softAt, happen: () => this.#answerEarly(wait) },
          { at: wait.isOver ? Infinity : wait.endsAt, happen: () => this.#timeOut(wait) },
        ])
        .filter(({ at }) => at > this.#now && at <= to)
        .sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      const { at } = due;
      // Whatever else is due at the same moment, in the order in which it began.
      const others = this.#waits.filter((wait) => wait.softAt === at || wait.endsAt === at);
      this.#now = at;
      for (const wait of others) {
        if (wait.softAt === at && !wait.isOver) this.#answerEarly(wait);
        if (wait.endsAt === at && !wait.isOver) this.#timeOut(wait);
      }
    }
    this.#now = to;
  }

  #caller(wrapper: number, mayLeave: boolean): ReferenceCaller {
    const caller: ReferenceCaller = { wrapper, mayLeave, state: 'pending', outcome: undefined };
    this.callers.push(caller);
    return caller;
  }

  #worthOf(stored: Stored | undefined): Worth {
    if (stored === undefined) return 'expired';
    const overdue = this.#now - stored.freshUntil;
    if (overdue < 0) return 'fresh';
    if (overdue < this.#settings.staleWhileRevalidate) return 'stale';
    return overdue < this.#settings.staleIfError ? 'fallback' : 'expired';
  }

  #answer(caller: ReferenceCaller, key: number, how: 'hit' | 'stale', value: string): void {
    this.#tell(caller.wrapper, how, key);
    Object.assign(caller, { state: 'fulfilled', outcome: value });
  }

  #join(caller: ReferenceCaller, wait: Wait): void {
    this.#tell(caller.wrapper, 'join', wait.key);
    if (wait.hasAnsweredEarly && this.#worthOf(wait.fallback) !== 'expired') {
      this.#tell(caller.wrapper, 'fallback', wait.key, 'soft-timeout');
      Object.assign(caller, { state: 'fulfilled', outcome: wait.fallback?.value });
      return;
    }
    wait.hasAnsweredEarly = false;
    this.#enter(caller, wait);
  }

  #enter(caller: ReferenceCaller, wait: Wait): void {
    wait.callers.push(caller);
    if (!caller.mayLeave) this.#pin(wait);
  }

  #pin(wait: Wait): void {
    wait.isPinned = true;
    if (wait.leader !== undefined) this.#pin(wait.leader);
  }

  #leave(wait: Wait, caller: ReferenceCaller | undefined): void {
    wait.callers = wait.callers.filter((other) => other !== caller);
    const isAwaited = wait.isPinned || wait.callers.length > 0 || wait.followers.some(({ isOver }) => !isOver);
    if (isAwaited || wait.isOver || wait.kind === 'background' || wait.kind === 'prime') return;
    this.#end(wait);
    if (wait.leader !== undefined) return this.#leave(wait.leader, undefined);
    this.#tell(wait.wrapper, 'run', wait.key, 'aborted');
    if (wait.canBeAborted) this.aborted.add(wait.name as string);
  }

  #run(
    kind: 'call' | 'refresh' | 'background',
    wrapper: number,
    key: number,
    canBeAborted: boolean,
    fallback?: Stored,
  ): Wait {
    const name = this.#nameOrigin('run');
    this.runs.set(name, key);
    const { timeout = Infinity } = this.#settings;
    return this.#wait({ kind, wrapper, key, name, canBeAborted, fallback, endsAt: this.#now + timeout });
  }

  #wait(given: Partial<Wait> & Pick<Wait, 'kind' | 'wrapper' | 'key'>): Wait {
    const { softTimeout = Infinity } = this.#settings;
    const wait: Wait = {
      name: undefined,
      leader: undefined,
      fallback: undefined,
      canBeAborted: false,
      endsAt: Infinity,
      followers: [],
      callers: [],
      isPinned: false,
      isFenced: false,
      invalidated: new Set(),
      isOver: false,
      hasAnsweredEarly: false,
      ...given,
      softAt: given.fallback === undefined ? Infinity : this.#now + softTimeout,
    };
    wait.leader?.followers.push(wait);
    this.#waits.push(wait);
    this.#slotOf(wait).set(wait.key, wait);
    return wait;
  }

  #slotOf({ kind }: Wait): Map<number, Wait> {
    return kind === 'refresh' || kind === 'background' ? this.#behind : this.#ahead;
  }

  /** What runs now is neither written nor joined again. */
  #detach(key: number): void {
    for (const wait of this.#waits) if (wait.key === key) wait.isFenced = true;
    for (const slot of [this.#ahead, this.#behind]) slot.delete(key);
  }

  #end(wait: Wait): void {
    wait.isOver = true;
    const slot = this.#slotOf(wait);
    if (slot.get(wait.key) === wait) slot.delete(wait.key);
    this.#waits = this.#waits.filter((other) => other !== wait);
  }

  #store(key: number, value: string): void {
    const { ttl, staleWhileRevalidate, staleIfError } = this.#settings;
    const own = ttl === 'by value' ? ttlByValue(value) : ttl;
    const stored = { value, storedAt: this.#now, freshUntil: this.#now + own, ended: [] };
    if (own + staleWhileRevalidate + staleIfError > 0) this.#stored.set(key, stored);
    else if (ttl === 'by value') this.#stored.delete(key);
  }

  #succeeded(wait: Wait, value: string): void {
    const isVoid = this.#settings.isTagged && tagsOf(wait.key, value).some((tag) => wait.invalidated.has(tag));
    const isRefused = wait.isFenced || isVoid;
    if (!isRefused) {
      this.#supersede(wait);
      this.#errors.delete(wait.key);
      this.#store(wait.key, value);
      // Later runs, which began after tags were invalidated, fall back on it.
      for (const other of this.#waits) {
        const isLater = other.key === wait.key && other.fallback !== undefined && !other.isFenced;
        if (isLater) other.fallback = this.#stored.get(wait.key);
      }
    }
    // The older value would be wrong now.
    if (isVoid && !wait.isFenced && wait.kind === 'prime') this.#stored.delete(wait.key);
    this.#end(wait);
    if (wait.kind !== 'prime') this.#tell(wait.wrapper, 'run', wait.key, 'fulfilled');
    if (isRefused) this.#tell(wait.wrapper, 'discard', wait.key);
    for (const one of [wait, ...wait.followers]) {
      if (one !== wait && !one.isOver) this.#end(one);
      for (const caller of one.callers) Object.assign(caller, { state: 'fulfilled', outcome: value });
      one.callers = [];
    }
  }

  /** What began before is not stored over it. */
  #supersede(wait: Wait): void {
    for (const other of this.#waits) {
      if (other === wait) return;
      if (other.key === wait.key) other.isFenced = true;
    }
  }

  #failed(wait: Wait, name: string): void {
    const { errorTtl } = this.#settings;
    const isCurrent = !wait.isFenced && this.#slotOf(wait).get(wait.key) === wait;
    if (errorTtl > 0 && isCurrent && wait.kind !== 'prime') {
      this.#errors.set(wait.key, { name, until: this.#now + errorTtl });
    }
    this.#end(wait);
    if (wait.kind !== 'prime') this.#tell(wait.wrapper, 'run', wait.key, 'rejected');
    this.#giveUp(wait, name, 'error');
  }

  #timeOut(wait: Wait): void {
    this.#end(wait);
    this.#tell(wait.wrapper, 'timeout', wait.key);
    this.#tell(wait.wrapper, 'run', wait.key, 'timeout');
    if (wait.canBeAborted) this.aborted.add(wait.name as string);
    this.#giveUp(wait, 'timeout', 'timeout');
  }

  /** No value will come: the old one answers where it still may. */
  #giveUp(wait: Wait, outcome: string, reason: 'error' | 'timeout'): void {
    for (const one of [wait, ...wait.followers]) {
      if (one !== wait && one.isOver) continue;
      if (one !== wait) this.#end(one);
      if (one.hasAnsweredEarly) continue;
      const { fallback } = one;
      const isAllowed = fallback !== undefined && this.#now - fallback.freshUntil < this.#settings.staleIfError;
      if (isAllowed) this.#tell(one.wrapper, 'fallback', one.key, reason);
      const end = isAllowed ? { state: 'fulfilled', outcome: fallback.value } : { state: 'rejected', outcome };
      for (const caller of one.callers) Object.assign(caller, end);
      one.callers = [];
    }
  }

  #answerEarly(wait: Wait): void {
    if (this.#worthOf(wait.fallback) === 'expired') return;
    wait.hasAnsweredEarly = true;
    this.#pin(wait);
    this.#tell(wait.wrapper, 'fallback', wait.key, 'soft-timeout');
    for (const caller of wait.callers) Object.assign(caller, { state: 'fulfilled', outcome: wait.fallback?.value });
    wait.callers = [];
  }

  #tell(wrapper: number, type: string, key: number, detail?: string): void {
    this.events.push([wrapper, type, key, detail].filter((part) => part !== undefined).join(' '));
  }
}
