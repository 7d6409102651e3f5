// To be bundled for an edge runtime, with a client that is a function. The server does not answer: the call does.
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

const offline = redisStore(() => Promise.reject(new Error('offline')));
const double = memoizeAsync(async (n) => n * 2, { name: 'double', cache: offline });
globalThis.answer = double(21);
