// All tests of one room in one file, quick ones first: each file would cost each mutant an environment of its own.
import '../__tests__/hashing/key-builder.test.js';
import '../__tests__/hashing/key-builder-signals.test.js';
import '../__tests__/hashing/canonicalize.test.js';
import '../__tests__/hashing/built-ins.test.js';
import '../__tests__/hashing/refusals.test.js';
import '../__tests__/hashing/unkeyable.test.js';
import '../__tests__/hashing/ignore.test.js';
import '../__tests__/hashing/shapes.test.js';
import '../__tests__/hashing/kinds.test.js';
import '../__tests__/hashing/numbers.test.js';
import '../__tests__/hashing/digest.test.js';
import '../__tests__/hashing/key-cache.test.js';
import '../__tests__/hashing/equality.test.js';
import '../__tests__/hashing/golden-vectors.test.js';
import '../__tests__/hashing/limits.test.js';
