import { expect, test } from 'vitest';
import { answer } from './answer.js';

test('loads both entries and shares a run', async () => {
  expect(await answer()).toEqual([42, 42, 1, true, 'function']);
});
