import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

export async function answer() {
  let runs = 0;
  const double = memoizeAsync(async (n) => ((runs += 1), n * 2), { name: 'double' });
  const answers = await Promise.all([double(21), double(21)]);
  return [...answers, runs, new TimeoutError('late', 1) instanceof Error, typeof redisStore];
}
