import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** Code whose mutants give the same keys and errors, reviewed one by one: no test can tell them from the original. */
const reasons = {
  'memory that is kept between calls, and nothing else': [
    'this.#texts.length > mostKept',
    'text.length > mostKept',
    "texts.fill('', base, top)",
    'this.#seen.size >= this.#mostSeen',
    'this.#floats.length < length',
    'this.#floats.length > mostKept',
    '{ canonicalizer.end(); idle = canonicalizer; }',
  ],
  'a shortcut to what follows, which comes to the same': [
    'prototype === rootPrototype',
    'prototype === arrayPrototype && Array.isArray(object)',
    "typeof value === 'string' && value.length <= longestText",
    "typeof value === 'number' && value !== 0",
    'node.lastName === name',
    'positions.size > 0',
    "typeof value === 'object' && !Array.isArray(value)",
    'symbols.length === 0',
    'ownKeys(value).length > copied',
    'value.length > mostVisited',
    'name in copy',
    '{ this.#isPolluted = outer; }',
  ],
  'chooses between two ways to the same end': [
    'length > fewElements && isItsCopy() === true',
    '() => compare?.(object, Object(primitive))',
    '() => compare?.(object, copyOf(kind, parts))',
    "kind === 'Buffer' ? maker?.from(buffer, byteOffset, length) : maker && new maker(buffer, byteOffset, length)",
    'Object.getPrototypeOf(bytes) === maker.prototype',
    'names.length > fewNames',
  ],
  'a quotient by zero is never zero': ['1 / value < 0'],
  'only a host with the other order of bytes could tell': ['isBigEndianHost ? [0x7ff80000, 0] : [0, 0x7ff80000]'],
  'set by the loop before an error can name a property': ["let name = '';"],
  'what is no number equals no position': ["rules.filter((rule): rule is number => typeof rule === 'number')"],
};

const bare = (code) => code.replaceAll(/[\s;]/gu, '');
const known = new Map(Object.entries(reasons).flatMap(([reason, codes]) => codes.map((code) => [bare(code), reason])));

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'same-either-way', {
    // A piece of a template has no text of its own.
    shouldIgnore: (path) => (path.isTemplateElement() ? undefined : known.get(bare(path.toString()))),
  }),
];
