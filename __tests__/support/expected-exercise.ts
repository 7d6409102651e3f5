import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argumentLists } from './hashing-values.js';
import type { Exercise } from './exercise.js';

const golden = JSON.parse(readFileSync(resolve('__tests__/hashing/golden-vectors.json'), 'utf8')) as Record<
  string,
  string
>;

/** What `exercise()` reports in every host. */
export const expectedExercise: Omit<Exercise, 'hasProcess' | 'hasDocument'> = {
  keys: Object.fromEntries(Object.keys(argumentLists).map((name) => [name, golden[name] ?? 'no golden vector'])),
  answers: ['0 v1', '1 v1', '2 v1', '0 v1', '0 v2', true, false],
  stats: {
    hits: 1,
    stale: 1,
    joins: 997,
    misses: 3,
    runs: 4,
    errors: 0,
    fallbacks: 0,
    discards: 0,
    timeouts: 0,
    aborts: 0,
    storeErrors: 0,
    unleased: 0,
    inFlight: 0,
  },
  errors: ['AbortError', 'TimeoutError', 'UnkeyableArgumentError'],
};
