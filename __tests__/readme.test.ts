import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRunnable, promisedOutput, SnippetFiles, snippetsOf } from './support/snippets.js';

const readme = readFileSync('README.md', 'utf8');
const snippets = snippetsOf('README.md', readme);
const runnable = snippets.filter(isRunnable);

describe('README.md', () => {
  let files: SnippetFiles;
  beforeAll(() => {
    files = new SnippetFiles(runnable);
  });
  afterAll(() => files.remove());

  it('is at most 300 lines long and shows code by line 20', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(300);
    expect(Number(snippets[0]!.place.split(':')[1])).toBeLessThan(20);
  });

  it('has its sections in the order in which a new user asks', () => {
    const headings = [...readme.replaceAll(/^```[\s\S]*?^```$/gmu, '').matchAll(/^## (.*)$/gmu)].map(
      ([, name]) => name,
    );
    expect(headings).toEqual([
      'Install',
      'Usage',
      'When to use it',
      'How a call flows',
      'Options',
      'Controls',
      'Forget by label',
      'Keys',
      'Errors',
      'Stores',
      'Redis and Valkey',
      'Recipes',
      'Guarantees',
      'Observability',
      'Speed',
      'Contributing',
      'License',
    ]);
  });

  it('has every option in its table, with a link', () => {
    const source = readFileSync('lib/options.ts', 'utf8');
    const options = [...source.matchAll(/^ {2}readonly (\w+)\?:/gmu)].map(([, option]) => option!);
    const rows = [...readme.matchAll(/^\| \[`(\w+)`\]\(docs\/options\.md#(\w+)\) \|/gmu)];
    expect(rows.map(([, option]) => option)).toEqual(expect.arrayContaining(options));
    for (const [, option, anchor] of rows) expect(anchor).toBe(option!.toLowerCase());
  });

  it('has snippets that compile', () => {
    expect(files.problems()).toEqual([]);
  }, 60_000);

  it('has snippets that run and print what they say', () => {
    const printed = files.run().map((lines, index) => ({ place: runnable[index]!.place, lines }));
    const promised = runnable.map((snippet) => ({ place: snippet.place, lines: promisedOutput(snippet) }));
    expect(printed).toEqual(promised);
    expect(promised.flatMap(({ lines }) => lines).length).toBeGreaterThanOrEqual(5);
  }, 60_000);
});
