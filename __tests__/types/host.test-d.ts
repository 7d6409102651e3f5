import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { memoizeAsync } from 'aiocachetools';

// What the host offers keeps its overloads.
const read = memoizeAsync(readFile, { ignore: [1, 'encoding'] });
expectTypeOf(read('a.txt', 'utf8')).resolves.toEqualTypeOf<string>();
expectTypeOf(read('a.txt')).resolves.toExtend<Uint8Array>();

const run = memoizeAsync(promisify(execFile), { ttl: 1_000 });
expectTypeOf(run('ls', ['-l'])).resolves.toExtend<{ stdout: string; stderr: string }>();

const get = memoizeAsync(fetch, { keyOf: (input) => (input instanceof Request ? input.url : String(input)) });
expectTypeOf(get('https://example.org', { method: 'GET' })).resolves.toExtend<Response>();
// @ts-expect-error -- no such argument
void get('https://example.org', {}, 5);

// A signal is an argument like any other to the types.
const fetchText = memoizeAsync(async (url: string, options?: { readonly signal?: AbortSignal }) =>
  (await fetch(url, options)).text(),
);
expectTypeOf(fetchText('/', { signal: AbortSignal.timeout(5) })).toEqualTypeOf<Promise<string>>();
expectTypeOf(fetchText.delete('/')).toEqualTypeOf<Promise<boolean>>();

// So is a mock.
const mock = memoizeAsync(jest.fn(async (id: number) => `user ${id}`));
expectTypeOf(mock(7)).toEqualTypeOf<Promise<string>>();
