import { memoizeAsync } from 'aiocachetools';
import { FaultyStore } from './faulty-store.js';

/** Run in a process of its own: does everything that the debug log tells of, under the names it is given. */
void (async () => {
  for (const name of JSON.parse(process.argv[2] ?? '[]') as string[]) await exercise(name);
})();

async function exercise(name: string): Promise<void> {
  let now = Date.now();
  Date.now = () => now;
  let fails = false;
  const store = new FaultyStore();
  const echo = memoizeAsync(
    async (text: string) => {
      if (fails) throw new Error('no such thing');
      return text;
    },
    { cache: store, name, ttl: 100, staleWhileRevalidate: 100, staleIfError: 1_000 },
  );

  await Promise.all([echo('a'), echo('a')]);
  await echo.settled();
  await echo('a');
  now += 150;
  await echo('a');
  await echo.settled();
  now += 250;
  fails = true;
  await echo('a');
  fails = false;
  const fenced = echo.refresh('b');
  await Promise.all([echo.delete('b'), fenced]);
  store.faults.get = 'rejects';
  await echo('c');
  await echo.settled();
}
