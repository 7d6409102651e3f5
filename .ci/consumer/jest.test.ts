// A default CommonJS project with ts-jest, as consumers have it.
import { expect, jest, test } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

test('imports the package without configuration', async () => {
  let runs = 0;
  const double = memoizeAsync(async (n: number) => ((runs += 1), n * 2), { name: 'double' });
  expect(await Promise.all([double(21), double(21)])).toEqual([42, 42]);
  expect(runs).toBe(1);
  expect(() => redisStore(42 as never)).toThrow(TypeError);
  expect(new TimeoutError('late', 1)).toBeInstanceOf(Error);
});

test('logs through the copy of debug that a test has', async () => {
  const createDebug: { enable(names: string): void; disable(): void; log: unknown } = jest.requireActual('debug');
  const { log } = createDebug;
  const written = jest.fn();
  createDebug.log = written;
  createDebug.enable('aiocachetools:echo');
  await memoizeAsync(async (n: number) => n, { name: 'echo' })(1);
  createDebug.disable();
  createDebug.log = log;
  expect(written).toHaveBeenCalledTimes(2);
});
