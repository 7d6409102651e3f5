// To be bundled: prints an answer and a digest.
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

const double = memoizeAsync(async (n) => n * 2, { name: 'double' });
console.log(await double(21), double.keyOf('long '.repeat(200)), typeof redisStore);
