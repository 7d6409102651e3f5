import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = resolve('.');
let consumer: string;

/** A project with the package installed as npm would: its declaration files behind `exports`. */
beforeAll(() => {
  consumer = mkdtempSync(join(tmpdir(), 'aiocachetools-consumer-'));
  const installed = join(consumer, 'node_modules', 'aiocachetools');
  mkdirSync(installed, { recursive: true });
  for (const name of ['object-hash', 'quick-lru', 'debug']) {
    symlinkSync(join(root, 'node_modules', name), join(consumer, 'node_modules', name));
  }
  const manifest = { name: 'aiocachetools', type: 'module', exports: { '.': { types: './index.d.ts' } } };
  writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ type: 'module' }));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const emitted = ts
    .createProgram([join(root, 'lib/index.ts')], {
      ...options,
      outDir: installed,
      emitDeclarationOnly: true,
      declarationMap: false,
      sourceMap: false,
    })
    .emit();
  expect(messages(emitted.diagnostics)).toEqual([]);
}, 60_000);

afterAll(() => {
  rmSync(consumer, { recursive: true, force: true });
});

/** The compiler's messages on a consumer's module, and the declaration file it emits. */
function declare(source: string): { errors: string[]; declarations: string } {
  const file = join(consumer, 'module.ts');
  writeFileSync(file, source);
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.NodeNext,
    types: [],
    strict: true,
    declaration: true,
    emitDeclarationOnly: true,
  });
  let declarations = '';
  const { diagnostics } = program.emit(undefined, (_path, text) => (declarations += text));
  return { errors: messages([...ts.getPreEmitDiagnostics(program), ...diagnostics]), declarations };
}

function messages(diagnostics: readonly ts.Diagnostic[]): string[] {
  return [...new Set(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')))];
}

describe("a consumer's declaration files", () => {
  it('name the type of everything that the package makes', () => {
    const { errors, declarations } = declare(`
      import { batched, createMemoizer, invalidateTags, memoizeAsync, memoizeMethods, perInstance, tiered } from 'aiocachetools';
      import type { AsyncMethod, SharedStore } from 'aiocachetools';
      export class Client {
        #x = 1;
        async get(id: number) { return this.#x + id; }
        async echo<T>(value: T): Promise<T> { return value; }
      }
      export const wrapper = memoizeAsync(async (id: number) => ({ id }));
      export const wrapperOfSync = memoizeAsync((id: number) => ({ id }));
      export const wraps = memoizeAsync({ ttl: 1 });
      export const memoizer = createMemoizer({ name: 'users' });
      export const wrapperOfMemoizer = memoizer(async (id: number, o: { db: 1 }) => id, { ignore: [1] });
      export const wrapsOfMemoizer = memoizer({ ttl: 1 });
      export const client = memoizeMethods(new Client(), { get: { ttl: (value, id) => value + id }, echo: {} });
      export const perReceiver = perInstance(() => new Map());
      export const single = batched(async (ids: readonly number[], o: { db: 1 }) => ids.map(String), { wait: 5 });
      export const counts = wrapper.stats();
      export const controls = wrapper.for(new Client());
      export const cache = wrapper.cache;
      export const forgets = wrapper.delete;
      export const originals = [wrapper.original, wrapperOfSync.original] as const;
      export const wrapperOfGeneric = memoizeAsync(<T>(value: T): T => value);
      export const wrapperOfPick = memoizeAsync(async <T, K extends keyof T>(of: T, key: K) => of[key]);
      export const wrapperWithProperties = memoizeAsync(Object.assign(async () => 1, { kind: 'a' as const }));
      export const load: ((id: number) => number | Promise<number>) | undefined = memoizeAsync(async (id) => id);
      export const sum = memoizer.stats();
      export const combine = tiered(new Map(), new Map());
      export const wrapperWithTags = memoizeAsync(async (id: number) => id, { tags: (value, id) => [String(value + id)] });
      export const invalidate = invalidateTags;
      declare const shared: SharedStore<string>;
      export const ofShared = [shared.acquire, shared.begin, shared.acquire('key', { timeout: 1 })] as const;
      export function remember<F extends (id: number) => Promise<unknown>>(fn: F) {
        return memoizeAsync(fn);
      }
      export function rememberAll<C extends object, Name extends AsyncMethod<C>>(
        client: C,
        methods: { readonly [N in Name]: undefined },
      ) {
        return memoizeMethods(client, methods);
      }
    `);
    expect(errors).toEqual([]);
    expect(declarations.match(/export declare const/gu)).toHaveLength(23);
    expect(declarations).not.toContain('aiocachetools/');
  }, 60_000);
});
