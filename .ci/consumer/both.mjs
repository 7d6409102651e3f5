// A program that imports the package and depends on another that requires it: fences and single flight must hold across.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

const require = createRequire(import.meta.url);
const required = require('aiocachetools');
assert.equal(required.memoizeAsync, imported.memoizeAsync);
assert.equal(required.TimeoutError, imported.TimeoutError);
assert.equal(require('aiocachetools/redis').redisStore, redisStore);
