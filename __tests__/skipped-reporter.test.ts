import { describe, expect, it } from '@jest/globals';

interface Part {
  readonly what: string;
  readonly how: string;
  isHere(): boolean;
}

const reporter = './support/skipped-reporter.mjs';

describe('skippedBlock', () => {
  it('says in one block what is missing and how to get it', async () => {
    // A variable, so that the compiler does not look for types of a plain module.
    const { skippedBlock } = (await import(reporter)) as { skippedBlock: (parts: readonly Part[]) => string };
    const part = (what: string, isHere: boolean): Part => ({ what, how: `get ${what}`, isHere: () => isHere });
    expect(skippedBlock([part('Redis', false), part('docs', true), part('a browser', false)])).toBe(
      '\nSkipped, because this machine lacks what they need:\n  Redis      get Redis\n  a browser  get a browser\n',
    );
    expect(skippedBlock([part('Redis', true)])).toBe('');
  });
});
