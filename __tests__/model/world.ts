import { jest } from '@jest/globals';
import { invalidateTags, memoizeAsync } from '../../lib/index.js';
import type { Entry, Memoized, MemoizeEvent } from '../../lib/index.js';
import { deferred } from '../support/call-recorder.js';
import type { Deferred } from '../support/call-recorder.js';
import { STORE_TIMEOUT, tagsOf } from './commands.js';
import type { Command, Settings, Step } from './commands.js';

export type Load = (key: number, signal?: AbortSignal) => Promise<string>;

/** Where a value comes from: a run of `fn`, or somebody who primed. Times are the world's clock, moments its steps. */
export interface Origin {
  readonly kind: 'run' | 'prime';
  readonly value: string;
  readonly error: Error;
  readonly key: number;
  readonly wrapper: number;
  readonly startedAt: number;
  readonly startTime: number;
  readonly signal: AbortSignal | undefined;
  /** Undefined where a value was primed that needed no promise. */
  readonly given: Deferred<string> | undefined;
  settledAt: number | undefined;
  settleTime: number;
  hasFailed: boolean;
  /** The moment by which the library must have noticed that it has settled. */
  noticedAt: number | undefined;
  /** The moment of the first fence after the start that came before the library could notice the end. */
  fencedAt: number | undefined;
  /** Its fence, or its death, came when it had settled but the library perhaps had not noticed. */
  isClose: boolean;
  /** Aborted or timed out. */
  diedAt: number | undefined;
  /** The moment of the first invalidation of tags after the start that came before the library could notice the end. */
  looseAt: number | undefined;
  /** The same, where it was one of its own tags. */
  voidAt: number | undefined;
}

/** A call or a refresh, and what has become of it. */
export interface Caller {
  readonly kind: 'call' | 'refresh';
  readonly wrapper: number;
  readonly key: number;
  readonly madeAt: number;
  readonly madeTime: number;
  readonly controller: AbortController | undefined;
  readonly wasAborted: boolean;
  /** The run that a refresh has started. */
  started: Origin | undefined;
  abortedAt: number | undefined;
  state: 'pending' | 'fulfilled' | 'rejected';
  outcome: unknown;
  endedAt: number;
  endTime: number;
}

/** A control that forgets, or a refresh that has started a run. */
export interface Fence {
  readonly kind: 'delete' | 'clear' | 'prime' | 'refresh' | 'expire' | 'invalidate';
  readonly key: number | undefined;
  /** Of an `invalidate`. */
  readonly tags: readonly string[];
  readonly isSoft: boolean;
  readonly madeAt: number;
  readonly madeTime: number;
  readonly origin: Origin | undefined;
  state: 'pending' | 'fulfilled' | 'rejected';
  outcome: unknown;
  endedAt: number;
}

/** What a store by hand has been asked and has not answered. */
interface Operation {
  readonly kind: 'get' | 'set' | 'delete';
  readonly key: number;
  readonly sentTime: number;
  /** An expiry reads and writes within one limit, so its write may have less time. */
  readonly isOfExpiry: boolean;
  readonly answer: Deferred<unknown>;
  act(): unknown;
}

/** Told of what the library does, as it does it. */
export interface Watcher {
  started?(origin: Origin): void;
  written?(value: string): void;
}

export const KEYS = [0, 1, 2];
const START = 1_000_000;

/** Two wrappers of one name on one store, and everything that has happened to them. */
export class World {
  readonly origins: Origin[] = [];
  readonly callers: Caller[] = [];
  readonly fences: Fence[] = [];
  readonly peeks: { readonly key: number; readonly answer: Promise<string | undefined> }[] = [];
  readonly events: { readonly wrapper: number; readonly event: MemoizeEvent }[] = [];
  readonly wrappers: Memoized<Load>[];
  readonly watchers: Watcher[] = [];
  readonly violations: string[] = [];
  /** Keys whose store has failed or hung: what it holds is uncertain. */
  readonly tainted = new Set<number>();
  /** What the store holds. */
  readonly stored = new Map<string, Entry<string>>();
  /** Keys that the store has failed to delete, or not in time: what should have gone may be there, and is not shown. */
  readonly undeleted = new Set<number>();
  #operations: Operation[] = [];
  #now = 0;

  constructor(readonly settings: Settings) {
    jest.setSystemTime(START);
    const { store, isFaulty: _isFaulty, isTagged, ttl, errorTtl, ...windows } = settings;
    if (store === 'at once') this.#watchWrites(this.stored);
    const cache = store === 'at once' ? this.stored : this.#storeByHand(this.stored);
    this.wrappers = [0, 1].map((wrapper) =>
      memoizeAsync<Load>((key, signal) => this.#start(wrapper, key, signal), {
        name: 'load',
        cache,
        ttl: ttl === 'by value' ? (value) => ttlByValue(value) : ttl,
        errorTtl,
        ...(isTagged && { tags: (value: string, key: number) => tagsOf(key, value) }),
        storeTimeout: STORE_TIMEOUT,
        ...windows,
        onEvent: (event) => this.events.push({ wrapper, event }),
      }),
    );
  }

  /** The step that is under way. */
  get now(): number {
    return this.#now;
  }

  /** The clock, from 0. */
  get time(): number {
    return Date.now() - START;
  }

  get pendingOperations(): number {
    return this.#operations.length;
  }

  unsettled(kind: Origin['kind']): Origin[] {
    return this.origins.filter((origin) => origin.kind === kind && origin.settledAt === undefined);
  }

  /** Callers that may leave still. */
  leavers(): Caller[] {
    return this.callers.filter(
      ({ state, controller, abortedAt }) => state === 'pending' && controller && abortedAt === undefined,
    );
  }

  async perform(step: Step): Promise<void> {
    this.#now += 1;
    const passing = this.#do(step);
    // An `await` of nothing would be a microtask already.
    if (passing !== undefined) await passing;
    await turn(step.turns);
    if (step.turns !== Infinity) return;
    for (const origin of this.origins) if (origin.settledAt !== undefined) origin.noticedAt ??= this.#now;
  }

  #do(command: Command): void | Promise<void> {
    switch (command.do) {
      case 'call':
        return this.#call(command.wrapper, command.key, command.signal);
      case 'refresh':
        return this.#refresh(command.wrapper, command.key, command.signal);
      case 'delete':
      case 'expire': {
        const { do: kind, key, wrapper } = command;
        return this.#fence({ kind, key }, () => this.#wrapper(wrapper)[kind](key));
      }
      case 'clear':
        return this.#fence({ kind: 'clear' }, () => this.#wrapper(command.wrapper).clear());
      case 'invalidate':
        return this.#invalidate(command);
      case 'prime':
        return this.#prime(command.wrapper, command.key, command.how);
      case 'peek':
        return void this.peeks.push({ key: command.key, answer: this.#wrapper(command.wrapper).peek(command.key) });
      case 'fulfil':
        return this.#settle(pickOf(this.unsettled('run'), command.pick), false);
      case 'reject':
        return this.#settle(pickOf(this.unsettled('run'), command.pick), true);
      case 'bring':
        return this.#settle(pickOf(this.unsettled('prime'), command.pick), false);
      case 'withhold':
        return this.#settle(pickOf(this.unsettled('prime'), command.pick), true);
      case 'abort':
        return this.#abort(pickOf(this.leavers(), command.pick));
      case 'answer':
      case 'fail':
      case 'fail late':
        return this.#operate(command.do, pickOf(this.#operations, command.pick));
      case 'answer all':
        for (const operation of [...this.#operations]) this.#operate('answer', operation);
        return;
      case 'advance':
        return this.#advance(command.by);
    }
  }

  #wrapper(index: number): Memoized<Load> {
    return this.wrappers[index] as Memoized<Load>;
  }

  #caller(kind: Caller['kind'], wrapper: number, key: number, signal: 'none' | 'own' | 'aborted'): Caller {
    const controller = signal === 'none' ? undefined : new AbortController();
    const caller: Caller = {
      kind,
      wrapper,
      key,
      madeAt: this.#now,
      madeTime: this.time,
      controller,
      wasAborted: signal === 'aborted',
      started: undefined,
      abortedAt: signal === 'aborted' ? this.#now : undefined,
      state: 'pending',
      outcome: undefined,
      endedAt: NaN,
      endTime: NaN,
    };
    if (signal === 'aborted') controller?.abort(caller);
    this.callers.push(caller);
    return caller;
  }

  #follow(caller: Caller, answer: Promise<string>): void {
    const end = (state: 'fulfilled' | 'rejected', outcome: unknown): void => {
      Object.assign(caller, { state, outcome, endedAt: this.#now, endTime: this.time });
    };
    answer.then(
      (value) => end('fulfilled', value),
      (error: unknown) => end('rejected', error),
    );
  }

  #call(wrapper: number, key: number, signal: 'none' | 'own' | 'aborted'): void {
    const caller = this.#caller('call', wrapper, key, signal);
    this.#follow(caller, this.#wrapper(wrapper)(key, ...signalOf(caller)));
  }

  #refresh(wrapper: number, key: number, signal: 'none' | 'own'): void {
    const caller = this.#caller('refresh', wrapper, key, signal);
    const before = this.origins.length;
    const answer = this.#wrapper(wrapper).refresh(key, ...signalOf(caller));
    const started = this.origins[before];
    if (started !== undefined) {
      caller.started = started;
      this.#detach(key, started);
      this.fences.push(this.#fenceOf({ kind: 'refresh', key, origin: started }));
    }
    this.#follow(caller, answer);
  }

  #fence(given: Partial<Fence> & Pick<Fence, 'kind'>, act: () => Promise<unknown>): void {
    const fence = this.#fenceOf(given);
    for (const one of fence.key === undefined ? KEYS : [fence.key]) this.#detach(one, fence.origin);
    this.#await(fence, act);
  }

  #fenceOf(given: Partial<Fence> & Pick<Fence, 'kind'>): Fence {
    return {
      key: undefined,
      tags: [],
      isSoft: false,
      madeAt: this.#now,
      madeTime: this.time,
      origin: undefined,
      state: 'pending',
      outcome: undefined,
      endedAt: NaN,
      ...given,
    };
  }

  #await(fence: Fence, act: () => Promise<unknown>): void {
    this.fences.push(fence);
    act().then(
      (outcome) => Object.assign(fence, { state: 'fulfilled', outcome, endedAt: this.#now }),
      (outcome: unknown) => Object.assign(fence, { state: 'rejected', outcome, endedAt: this.#now }),
    );
  }

  #invalidate({ wrapper, tags, isSoft }: Extract<Command, { do: 'invalidate' }>): void {
    for (const origin of this.origins) {
      if (origin.noticedAt !== undefined || origin.diedAt !== undefined || origin.fencedAt !== undefined) continue;
      origin.looseAt ??= this.#now;
      if (tagsOf(origin.key, origin.value).some((tag) => tags.includes(tag))) origin.voidAt ??= this.#now;
      origin.isClose ||= origin.settledAt !== undefined;
    }
    const fence = this.#fenceOf({ kind: 'invalidate', tags, isSoft });
    this.#await(fence, () => invalidateTags(this.#wrapper(wrapper), tags, { soft: isSoft }));
  }

  /** From now on nothing that runs on `key` counts, but the origin that the fence brings itself. */
  #detach(key: number, but: Origin | undefined): void {
    for (const origin of this.origins) {
      if (origin.key !== key || origin === but || origin.fencedAt !== undefined) continue;
      if (origin.noticedAt !== undefined || origin.diedAt !== undefined) continue;
      origin.fencedAt = this.#now;
      origin.isClose ||= origin.settledAt !== undefined;
    }
  }

  #prime(wrapper: number, key: number, how: 'plain' | 'promised'): void {
    const origin = this.#originate('prime', wrapper, key, undefined, how === 'plain' ? undefined : deferred<string>());
    if (origin.given === undefined) Object.assign(origin, { settledAt: this.#now, settleTime: this.time });
    const value = origin.given?.promise ?? origin.value;
    this.#fence({ kind: 'prime', key, origin }, () => this.#wrapper(wrapper).prime([key], value));
  }

  #start(wrapper: number, key: number, signal: AbortSignal | undefined): Promise<string> {
    const origin = this.#originate('run', wrapper, key, signal, deferred<string>());
    for (const watcher of this.watchers) watcher.started?.(origin);
    signal?.addEventListener('abort', () => {
      if (origin.diedAt !== undefined || origin.noticedAt !== undefined) return;
      origin.diedAt = this.#now;
      origin.isClose ||= origin.settledAt !== undefined;
    });
    return (origin.given as Deferred<string>).promise;
  }

  #originate(
    kind: Origin['kind'],
    wrapper: number,
    key: number,
    signal: AbortSignal | undefined,
    given: Deferred<string> | undefined,
  ): Origin {
    const value = `${kind} ${this.origins.length}`;
    const origin: Origin = {
      kind,
      value,
      error: new Error(value),
      key,
      wrapper,
      startedAt: this.#now,
      startTime: this.time,
      signal,
      given,
      settledAt: undefined,
      settleTime: NaN,
      hasFailed: false,
      noticedAt: undefined,
      fencedAt: undefined,
      isClose: false,
      diedAt: undefined,
      looseAt: undefined,
      voidAt: undefined,
    };
    this.origins.push(origin);
    return origin;
  }

  #settle(origin: Origin | undefined, hasFailed: boolean): void {
    if (origin === undefined) return;
    Object.assign(origin, { settledAt: this.#now, settleTime: this.time, hasFailed });
    if (hasFailed) origin.given?.reject(origin.error);
    else origin.given?.resolve(origin.value);
  }

  #abort(caller: Caller | undefined): void {
    if (caller === undefined) return;
    caller.abortedAt = this.#now;
    caller.controller?.abort(caller);
  }

  /** A write of a value, whichever way. */
  #written(entry: Entry<string>): void {
    for (const watcher of this.watchers) watcher.written?.(entry.value as string);
  }

  #watchWrites(store: Map<string, Entry<string>>): void {
    const set = store.set.bind(store);
    store.set = (name, entry) => {
      this.#written(entry);
      return set(name, entry);
    };
  }

  #storeByHand(entries: Map<string, Entry<string>>) {
    const wait = (kind: Operation['kind'], name: string, act: () => unknown): Promise<unknown> => {
      const key = keyOfName(name);
      const isOfExpiry = this.fences.some(
        (fence) => fence.kind === 'expire' && fence.key === key && fence.state === 'pending',
      );
      const operation = { kind, key, sentTime: this.time, isOfExpiry, answer: deferred<unknown>(), act };
      this.#checkOrder(operation);
      this.#operations.push(operation);
      return operation.answer.promise;
    };
    return {
      get: (name: string) => wait('get', name, () => entries.get(name)) as Promise<Entry<string> | undefined>,
      set: (name: string, entry: Entry<string>) => {
        this.#written(entry);
        return wait('set', name, () => void entries.set(name, entry));
      },
      delete: (name: string) => wait('delete', name, () => entries.delete(name)),
      keys: () => entries.keys(),
    };
  }

  /** A write or delete is sent after the one before it has settled or had its time. */
  #checkOrder({ kind, key, sentTime }: Operation): void {
    if (kind === 'get') return;
    const ahead = this.#operations.find(
      (other) =>
        other.kind !== 'get' && other.key === key && !other.isOfExpiry && sentTime - other.sentTime < STORE_TIMEOUT - 1,
    );
    if (ahead !== undefined) this.violations.push(`a ${kind} of ${key} is sent while a ${ahead.kind} is under way`);
  }

  #operate(how: 'answer' | 'fail' | 'fail late', operation: Operation | undefined): void {
    if (operation === undefined) return;
    this.#operations = this.#operations.filter((other) => other !== operation);
    if (how === 'answer') return operation.answer.resolve(operation.act());
    this.#taint(operation);
    if (how === 'fail late') operation.act();
    operation.answer.reject(new Error('the store failed'));
  }

  #taint({ kind, key }: Operation): void {
    this.tainted.add(key);
    if (kind === 'delete') this.undeleted.add(key);
  }

  async #advance(by: number): Promise<void> {
    await passTime(by);
    for (const operation of this.#operations) {
      if (this.time - operation.sentTime >= STORE_TIMEOUT - 1) this.#taint(operation);
    }
    const { timeout } = this.settings;
    if (timeout === undefined) return;
    for (const origin of this.origins) {
      const isLate = origin.kind === 'run' && this.time - origin.startTime >= timeout;
      if (!isLate || origin.noticedAt !== undefined || origin.diedAt !== undefined) continue;
      origin.diedAt = this.#now;
      origin.isClose ||= origin.settledAt !== undefined;
    }
  }
}

/** How long the value of an origin is fresh, where that depends on it: every fifth is not to be stored. */
export function ttlByValue(value: string): number {
  const index = Number(value.split(' ')[1]);
  return index % 5 === 0 ? 0 : 40 + 20 * (index % 3);
}

/** As it passes where the event loop is idle: what a timer brings about happens before the next one, also one that is due too. */
async function passTime(by: number): Promise<void> {
  await untilTimer(by);
  // Behind those that were set meanwhile for the same moment.
  await untilTimer(0);
}

async function untilTimer(delay: number): Promise<void> {
  // Jest itself lets all that are due go off at once.
  const { clock } = setTimeout as unknown as { readonly clock: { next(): void } };
  let isOver = false;
  setTimeout(() => (isOver = true), delay);
  while (!isOver) {
    clock.next();
    await turn(15);
  }
}

/** Microtasks only: nothing of this needs a timer. */
export async function turn(turns: number): Promise<void> {
  for (let done = 0; done < Math.min(turns, 40); done += 1) await Promise.resolve();
}

function signalOf({ controller }: Caller): [] | [AbortSignal] {
  return controller === undefined ? [] : [controller.signal];
}

function keyOfName(name: string): number {
  return Number(/\d+$/u.exec(name)?.[0]);
}

function pickOf<T>(choices: readonly T[], pick: number): T | undefined {
  return choices[pick % choices.length];
}
