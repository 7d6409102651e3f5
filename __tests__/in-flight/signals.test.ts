import { getEventListeners } from 'node:events';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it, jest } from '@jest/globals';
import { abortedSignal, findSignals, onAbort, replaceSignals } from '../../lib/in-flight/signals.js';
import type { AbortSignalLike } from '../../lib/platform/abort-signal.js';

const signal = new AbortController().signal;
const runSignal = new AbortController().signal;

/** Matchers that compare by contents take any two signals for equal. */
function expectTheVery(found: readonly unknown[] | undefined, expected: readonly unknown[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((each, index) => expect(found?.[index]).toBe(each));
}

class Holder {
  readonly signal = signal;
}

describe('findSignals', () => {
  it('finds signals among the arguments and in plain objects among them', () => {
    const other = new AbortController().signal;
    const bare = Object.assign(Object.create(null) as object, { signal: other });
    expectTheVery(findSignals([1, signal, { signal: other }, bare]), [signal, other, other]);
    const foreign = runInContext('({})', createContext({})) as { signal?: unknown };
    foreign.signal = signal;
    expectTheVery(findSignals([foreign]), [signal]);
  });

  it.each([
    ['nothing', []],
    ['primitives', [1, 'a', null, undefined, 2n]],
    ['a signal deeper down', [{ options: { signal } }]],
    ['a signal in an array', [[signal]]],
    ['a signal in a class instance', [new Holder()]],
    ['a signal that does not show', [Object.defineProperty({}, 'signal', { value: signal })]],
    ['an inherited signal', [Object.create({ signal }) as object]],
    ['an heir of what is no root', [Object.assign(Object.create(Object.create(null) as object) as object, { signal })]],
    ['an heir of what resembles a root', [Object.assign(Object.create({ isPrototypeOf: 1 }) as object, { signal })]],
    ['a signal under another name', [{ abort: signal }]],
    ['what only looks like one', [{ signal: { aborted: false } }]],
    ['no signal', [{ signal: undefined }]],
  ])('finds none in %s', (_what, args) => {
    expect(findSignals(args)).toBeUndefined();
  });
});

describe('replaceSignals', () => {
  it('puts one signal in the place of all, and copies what held them', () => {
    const held = { page: 1, signal };
    const [copy] = replaceSignals([held], runSignal) as [typeof held];
    expect(Object.keys(copy)).toEqual(['page', 'signal']);
    expect(copy.page).toBe(1);
    expect(copy.signal).toBe(runSignal);
    expect(held.signal).toBe(signal);
    expectTheVery(replaceSignals([7, signal, null], runSignal), [7, runSignal, null]);
  });

  it('leaves everything else as it is', () => {
    const args = [1, 'a', null, undefined, { options: { signal } }, new Holder(), [signal], { signal: undefined }];
    const replaced = replaceSignals(args, runSignal);
    args.forEach((argument, index) => expect(replaced[index]).toBe(argument));
  });

  it('keeps prototypes, symbols and an own `__proto__`', () => {
    const symbol = Symbol('kept');
    const bare = Object.assign(Object.create(null) as object, { signal, [symbol]: 1 });
    const parsed = JSON.parse('{"__proto__": {"a": 1}}') as Record<string, unknown>;
    parsed.signal = signal;
    const [copied, own] = replaceSignals([bare, parsed], runSignal) as [Record<symbol, unknown>, object];
    expect(Object.getPrototypeOf(copied)).toBeNull();
    expect(copied[symbol]).toBe(1);
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(own, '__proto__')?.value).toEqual({ a: 1 });
  });
});

describe('abortedSignal', () => {
  it('is the first that has been aborted', () => {
    const [one, two] = [AbortSignal.abort('one'), AbortSignal.abort('two')];
    expect(abortedSignal([signal, one, two])).toBe(one);
    expect(abortedSignal([signal])).toBeUndefined();
  });
});

describe('onAbort', () => {
  it('tells once, with the reason of the first, and lets all go', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const listener = jest.fn();
    onAbort([one.signal, two.signal], listener);
    two.abort('two');
    one.abort('one');
    expect(listener.mock.calls).toEqual([['two']]);
    for (const { signal: each } of [one, two]) expect(getEventListeners(each, 'abort')).toHaveLength(0);
  });

  it('can be stopped', () => {
    const controller = new AbortController();
    const listener = jest.fn();
    const stop = onAbort([controller.signal], listener);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    stop();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort();
    expect(listener).not.toHaveBeenCalled();
  });

  it('tells of what a signal throws in place of its reason, and heeds no signal that will not let go', () => {
    const failure = new Error('no reason');
    const listeners: (() => void)[] = [];
    const hostile: AbortSignalLike = {
      aborted: false,
      get reason(): unknown {
        throw failure;
      },
      addEventListener: (_type, added) => void listeners.push(added),
      removeEventListener: () => {
        throw new Error('kept');
      },
    };
    const listener = jest.fn();
    const stop = onAbort([hostile], listener);
    listeners.forEach((tell) => tell());
    expect(listener.mock.calls).toEqual([[failure]]);
    expect(stop).not.toThrow();
  });
});
