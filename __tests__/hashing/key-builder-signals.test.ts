import { describe, expect, it } from '@jest/globals';
import { createKeyBuilder } from '../support/create-key-builder.js';

describe('a signal in what keyOf returns', () => {
  it.each([
    ['itself', (signal: unknown) => signal],
    ['as a property', (signal: unknown) => ({ signal })],
  ])('is refused: %s', (_name, keyOf) => {
    const build = createKeyBuilder({ name: 'getUser', keyOf });
    expect(() => build(undefined, [new AbortController().signal])).toThrow(
      'getUser: cannot build a key from the result of `keyOf`',
    );
  });
});
