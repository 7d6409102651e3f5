import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sha1 } from '../../lib/redis/sha1.js';
import * as scripts from '../../lib/redis/scripts.js';
import { createToken } from '../../lib/redis/lease.js';

const byNode = (text: string): string => createHash('sha1').update(text).digest('hex');

describe('sha1', () => {
  it('agrees with node:crypto on texts of every length up to three blocks', () => {
    for (let length = 0; length < 200; length++) {
      const text = Array.from({ length }, (_, i) => String.fromCharCode(32 + ((i * 37 + length) % 95))).join('');
      expect(sha1(text)).toBe(byNode(text));
    }
  });

  it('names every script as a server does', () => {
    const all = Object.values(scripts).filter((script) => typeof script === 'object');
    expect(all.length).toBeGreaterThan(5);
    for (const { source, sha } of all) {
      expect(source).toMatch(/^[\n -~]+$/);
      expect(sha).toBe(byNode(source));
    }
  });
});

describe('createToken', () => {
  it('gives 96 random bits in characters that a record can hold', () => {
    const tokens = Array.from({ length: 1_000 }, createToken);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{16}$/);
    expect(new Set(tokens).size).toBe(tokens.length);
  });
});
