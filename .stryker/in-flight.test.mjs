// All tests of these rooms in one file, quick ones first: each file would cost each mutant an environment of its own.
import '../__tests__/store/entry.test.js';
import '../__tests__/in-flight/flight.test.js';
import '../__tests__/in-flight/recursion.test.js';
import '../__tests__/in-flight/registry.test.js';
import '../__tests__/in-flight/remembered-errors.test.js';
import '../__tests__/in-flight/signals.test.js';
