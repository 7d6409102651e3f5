// A program that imports the package and depends on another that requires it: fences and single flight must hold across.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from 'aiocachetools';

const required = createRequire(import.meta.url)('aiocachetools');
assert.equal(required.memoizeAsync, imported.memoizeAsync);
assert.equal(required.TimeoutError, imported.TimeoutError);
