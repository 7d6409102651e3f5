import { pathToFileURL } from 'node:url';
import { compiledLibrary } from '../paths.mjs';

/** Who makes a key of an argument list. `load` resolves with the function that does. */
export const encoders = {
  JSON: {
    title: 'JSON.stringify, not canonical',
    lacks: { W8: 'throws on a BigInt' },
    load: async () => (args) => JSON.stringify(args),
  },
  ours: {
    title: 'aiocachetools',
    async load() {
      const { KeyBuilder } = await import(pathToFileURL(compiledLibrary('hashing/key-builder.js')).href);
      const keys = new KeyBuilder({ name: 'bench' });
      const build = (receiver, args) => keys.build(receiver, args);
      return (args) => build(undefined, args);
    },
  },
  'object-hash': {
    title: 'object-hash, default',
    package: 'object-hash',
    async load() {
      const { default: objectHash } = await import('object-hash');
      return (args) => objectHash(args);
    },
  },
  'safe-stable-stringify': {
    title: 'safe-stable-stringify',
    package: 'safe-stable-stringify',
    async load() {
      const { stringify } = await import('safe-stable-stringify');
      return (args) => stringify(args);
    },
  },
  'object-identity': {
    title: 'object-identity',
    package: 'object-identity',
    async load() {
      const { identify } = await import('object-identity');
      return (args) => identify(args);
    },
  },
  'fast-json-stable-stringify': {
    title: 'fast-json-stable-stringify',
    lacks: { W8: 'throws on a BigInt' },
    package: 'fast-json-stable-stringify',
    async load() {
      const { default: stringify } = await import('fast-json-stable-stringify');
      return (args) => stringify(args);
    },
  },
  'ohash:serialize': {
    title: 'ohash, serialize',
    package: 'ohash',
    async load() {
      const { serialize } = await import('ohash');
      return (args) => serialize(args);
    },
  },
  'ohash:hash': {
    title: 'ohash, hash',
    package: 'ohash',
    async load() {
      const { hash } = await import('ohash');
      return (args) => hash(args);
    },
  },
};

export const encoderNames = Object.keys(encoders);
