import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  filesAreNamed,
  nobodyImportsIndex,
  noBuiltIns,
  noCycles,
  noModuleIsThenable,
  noModuleState,
  nothingRunsAtImport,
  packagesAreLoadedLazily,
  packagesHaveHomes,
  roomsKnowTheirPlace,
  timeDecisionsArePure,
  timersHaveOneHome,
} from './support/source-laws.js';
import type { Law, Sources } from './support/source-laws.js';

const lib = join(process.cwd(), 'lib');
const paths = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
const house: Sources = new Map(
  paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(lib, path), 'utf8')]),
);
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };

interface Case {
  readonly law: Law;
  readonly claim: string;
  /** Files that break the law, each with what is said about it. */
  readonly broken: readonly (readonly [files: Record<string, string>, complaint: string])[];
  /** Files that do not. */
  readonly kept?: Record<string, string>;
}

const cases: readonly Case[] = [
  {
    law: noCycles,
    claim: 'imports never go round, types included',
    broken: [
      [{ 'a.ts': `import './b.js';`, 'b.ts': `export * from './a.js';` }, 'a.ts → b.ts → a.ts'],
      [
        { 'x/a.ts': `import { b } from '../b.js';`, 'b.ts': `const a = await import('./x/a.js');` },
        'x/a.ts → b.ts → x/a.ts',
      ],
      [{ 'a.ts': `import { b } from './b.js';`, 'b.ts': `import type { A } from './a.js';` }, 'a.ts → b.ts → a.ts'],
    ],
    kept: { 'a.ts': `import { b } from './b.js';`, 'b.ts': `import type { C } from './c.js';`, 'c.ts': '' },
  },
  {
    law: nobodyImportsIndex,
    claim: 'nobody imports index.ts',
    broken: [
      [{ 'a.ts': `import { b } from './index.js';` }, 'a.ts imports index.ts'],
      [{ 'store/a.ts': `import type { B } from '../redis/index.js';` }, 'store/a.ts imports redis/index.ts'],
    ],
  },
  {
    law: roomsKnowTheirPlace,
    claim: 'hashing knows no store, stores know no function, in-flight knows neither keys nor stores',
    broken: [
      [
        { 'hashing/a.ts': `import type { Entry } from '../store/entry.js';` },
        'hashing/a.ts imports types of store/entry.ts',
      ],
      [
        { 'hashing/a.ts': `import { resolveOptions } from '../resolve-options.js';` },
        'hashing/a.ts imports resolve-options.ts',
      ],
      [{ 'in-flight/a.ts': `import { isFresh } from '../store/entry.js';` }, 'in-flight/a.ts imports store/entry.ts'],
      [
        { 'in-flight/a.ts': `import type { KeyBuilder } from '../hashing/key-builder.js';` },
        'in-flight/a.ts imports types of hashing/key-builder.ts',
      ],
      [
        { 'store/a.ts': `export type { Call } from '../call/wrapper.js';` },
        'store/a.ts imports types of call/wrapper.ts',
      ],
      [
        { 'store/a.ts': `type R = import('../in-flight/registry.js').Registry;` },
        'store/a.ts imports types of in-flight/registry.ts',
      ],
      [{ 'redis/a.ts': `import { startRun } from '../call/run.js';` }, 'redis/a.ts imports call/run.ts'],
      [{ 'store/a.ts': `import { lease } from '../redis/lease.js';` }, 'store/a.ts imports redis/lease.ts'],
      [
        { 'platform/timer.ts': `import { Deadlines } from '../store/deadline.js';` },
        'platform/timer.ts imports store/deadline.ts',
      ],
    ],
    kept: {
      'in-flight/a.ts': `import type { Entry } from '../store/store.js'; import { b } from './b.js';`,
      'redis/a.ts': `import { isEntry } from '../store/entry.js'; import { startTimer } from '../platform/timer.js';`,
      'a.ts': `import { b } from './store/b.js'; import { c } from './hashing/c.js';`,
    },
  },
  {
    law: noBuiltIns,
    claim: 'nothing of Node is imported',
    broken: [
      [{ 'a.ts': `import { hash } from 'node:crypto';` }, 'a.ts imports node:crypto'],
      [{ 'store/a.ts': `import type { Buffer } from 'buffer';` }, 'store/a.ts imports buffer'],
      [{ 'a.ts': `const fs = await import('node:fs/promises');` }, 'a.ts imports node:fs/promises'],
      [{ 'a.ts': `import os = require('os');` }, 'a.ts imports os'],
      [{ 'redis/a.ts': `import { createHash } from 'node:crypto';` }, 'redis/a.ts imports node:crypto'],
    ],
  },
  {
    law: packagesHaveHomes(Object.keys(dependencies)),
    claim: 'packages are dependencies, and known in one place',
    broken: [
      [{ 'a.ts': `import { pipe } from 'remeda';` }, 'a.ts imports remeda'],
      [{ 'hashing/a.ts': `import hash from 'object-hash';` }, 'hashing/a.ts imports object-hash'],
      [{ 'a.ts': `const name = 'debug'; import(name);` }, 'a.ts imports (name)'],
    ],
    kept: {
      'debug-log.ts': `const createDebug = loadPackage<CreateDebug>('debug');`,
      'place.ts': `import QuickLRU from 'quick-lru';`,
    },
  },
  {
    law: packagesAreLoadedLazily,
    claim: 'packages that require modules of Node are not imported',
    broken: [
      [{ 'debug-log.ts': `import createDebug from 'debug';` }, 'debug-log.ts imports debug'],
      [{ 'hashing/digest.ts': `const hash = require('object-hash');` }, 'hashing/digest.ts imports object-hash'],
      [{ 'debug-log.ts': `const { default: debug } = await import('debug');` }, 'debug-log.ts imports debug'],
    ],
    kept: { 'hashing/digest.ts': `const hash = loadPackage<ObjectHash>('object-hash');` },
  },
  {
    law: noModuleIsThenable,
    claim: 'no module exports a binding called `then`, which would make a promise of it',
    broken: [
      [{ 'a.ts': `export const then = Promise.prototype.then;` }, 'a.ts exports then'],
      [{ 'a.ts': `export function then(): void {}` }, 'a.ts exports then'],
      [{ 'a.ts': `export const { then } = Promise.prototype;` }, 'a.ts exports then'],
      [{ 'a.ts': `const nativeThen = 5; export { nativeThen as then };` }, 'a.ts exports then'],
      [{ 'a.ts': `export * as then from './b.js';`, 'b.ts': `export {};` }, 'a.ts exports then'],
      [{ 'a.ts': `export * from './b.js';`, 'b.ts': `export const then = 5;` }, 'a.ts exports then'],
      [{ 'a.ts': `export { then } from 'quick-lru';` }, 'a.ts exports then'],
    ],
    kept: { 'a.ts': `export const nativeThen = Promise.prototype.then; export class A { then(): void {} }` },
  },
  {
    law: nothingRunsAtImport,
    claim: 'nothing runs at import',
    broken: [
      [{ 'a.ts': `console.log('hello');` }, `a.ts runs \`console.log('hello');\``],
      [{ 'a.ts': `const started = Date.now();` }, 'a.ts runs `Date.now()`'],
      [{ 'a.ts': `export const cache = new QuickLRU({ maxSize: 1 });` }, 'a.ts runs `new QuickLRU({ maxSize: 1 })`'],
      [{ 'a.ts': `if (isNode) load();` }, 'a.ts runs `if (isNode) load();`'],
      [{ 'a.ts': `class A { static b = load(); }` }, 'a.ts runs `load()`'],
      [{ 'a.ts': `class A { static { load(); } }` }, 'a.ts runs `static { load(); }`'],
      [{ 'a.ts': `const a = { b: [load()] };` }, 'a.ts runs `load()`'],
    ],
    kept: { 'a.ts': `const load = () => fetch('x'); class A { b = load(); } export const a = new WeakMap();` },
  },
  {
    law: noModuleState,
    claim: 'modules keep no state but WeakMaps',
    broken: [
      [{ 'a.ts': `let count = 0;` }, 'a.ts keeps state in count'],
      [{ 'a.ts': `export const seen = new Set<string>();` }, 'a.ts keeps state in seen'],
      [{ 'a.ts': `const known = new Map<string, number>();` }, 'a.ts keeps state in known'],
      [{ 'a.ts': `const queue: string[] = [];` }, 'a.ts keeps state in queue'],
      [{ 'a.ts': `const counts = { hits: 0 };` }, 'a.ts keeps state in counts'],
      [
        { 'a.ts': `const deep = { readonlyAtTop: { hits: 0 } } as { readonly readonlyAtTop: { hits: number } };` },
        'a.ts keeps state in deep',
      ],
      [{ 'a.ts': `const anything: any = null;` }, 'a.ts keeps state in anything'],
      [{ 'a.ts': `class A { static count = 0; }` }, 'a.ts keeps state in A.count'],
      [{ 'a.ts': `class A { static readonly all: string[] = []; }` }, 'a.ts keeps state in A.all'],
    ],
    kept: {
      'a.ts': `const places = new WeakMap<object, Map<string, number>>();
        const defaults: { readonly ttl: number; readonly ignore: readonly string[] } = { ttl: 1, ignore: [] };
        const names = ['a', 'b'] as const;
        const limit = 5;
        const known: ReadonlySet<string> = new Set(['a']);
        const tag = Symbol('tag');
        const { hasOwn, prototype } = Object;
        const double = (n: number): number => n * 2;
        const codec: { encode(value: unknown): string } = { encode: String };`,
    },
  },
  {
    law: timersHaveOneHome,
    claim: 'only platform/timer.ts arms timers',
    broken: [[{ 'store/a.ts': `export const wait = () => setTimeout(next, 5);` }, 'store/a.ts uses setTimeout']],
    kept: { 'platform/timer.ts': `setTimeout(next, 5);`, 'a.ts': `let handle: ReturnType<typeof setTimeout>;` },
  },
  {
    law: timeDecisionsArePure,
    claim: 'entries are judged without a look at the clock',
    broken: [
      [{ 'store/entry.ts': `export const isFresh = () => Date.now() < 5;` }, 'store/entry.ts uses Date'],
      [{ 'store/entry.ts': `export const now = () => performance.now();` }, 'store/entry.ts uses performance'],
    ],
  },
  {
    law: filesAreNamed,
    claim: 'files are called after what they are about, and index.ts only lists names',
    broken: [
      [{ 'utils.ts': `` }, 'utils.ts is called utils'],
      [{ 'store/guardedStore.ts': `` }, 'store/guardedStore.ts is called guardedStore'],
      [{ 'a.ts': `export default 5;` }, 'a.ts has a default export'],
      [{ 'index.ts': `export const version = 1;` }, 'index.ts holds `export const version = 1;`'],
    ],
  },
];

describe.each(cases)('the house: $claim', ({ law, broken, kept }) => {
  it('holds in lib/', () => {
    expect(house.size).toBeGreaterThan(20);
    expect(law(house)).toEqual([]);
  }, 60_000);

  it.each(broken)('notices %j', (files, complaint) => {
    expect(law(new Map(Object.entries(files)))).toContain(complaint);
  });

  if (kept !== undefined) {
    it('allows what the law allows', () => {
      expect(law(new Map(Object.entries(kept)))).toEqual([]);
    });
  }
});
