import { describe, expect, it } from '@jest/globals';
import createDebug from 'debug';
import objectHash from 'object-hash';
import { loadPackage as loadNoPackage } from '../../lib/platform/load-no-package.js';
import { createPackageLoader, loadPackage } from '../../lib/platform/load-package.js';

const denoWith = (states: Record<string, string>): object => ({
  ...globalThis,
  process,
  Deno: { permissions: { querySync: ({ name }: { name: string }) => ({ state: states[name] }) } },
});

describe('loadPackage', () => {
  it('gives the copy that an import gives', () => {
    expect(loadPackage('debug')).toBe(createDebug);
    expect(loadPackage('object-hash')).toBe(objectHash);
  });

  it('gives undefined for a package that is not there', () => {
    expect(loadPackage('aiocachetools-no-such-package')).toBeUndefined();
  });

  it('does not ask the user of Deno about a permission', () => {
    expect(createPackageLoader(denoWith({ read: 'granted', env: 'granted' }))('debug')).toBe(createDebug);
    for (const state of ['prompt', 'denied']) {
      expect(createPackageLoader(denoWith({ read: 'granted', env: state }))('debug')).toBeUndefined();
      expect(createPackageLoader(denoWith({ read: state, env: 'granted' }))('debug')).toBeUndefined();
    }
  });

  it('loads nothing in a browser, whose bundles hold another file', () => {
    expect(loadNoPackage('debug')).toBeUndefined();
  });
});
