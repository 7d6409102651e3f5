import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createEntry } from '../../lib/store/entry.js';
import { TagMarks } from '../../lib/store/tag-marks.js';

describe('TagMarks', () => {
  it('voids what carries a marked tag and began before', () => {
    const marks = new TagMarks();
    const before = marks.latest;
    expect(marks.isVoid(['user:1'], before)).toBe(false);
    marks.mark(['user:1']);
    expect(marks.isVoid(['user:1'], before)).toBe(true);
    expect(marks.isVoid(['list', 'user:1'], before)).toBe(true);
    expect(marks.isVoid(['list', 'user:2'], before)).toBe(false);
  });

  it('voids nothing that begins afterwards', () => {
    const marks = new TagMarks();
    marks.mark(['a']);
    const after = marks.latest;
    expect(marks.isVoid(['a'], after)).toBe(false);
    marks.mark(['b']);
    expect([marks.isVoid(['a'], after), marks.isVoid(['b'], after)]).toEqual([false, true]);
  });

  it('judges a run under way by the tags of its result', () => {
    const marks = new TagMarks();
    const begunAt = marks.latest;
    marks.mark(['team:5']);
    marks.mark(['team:6']);
    // Known when the run ends.
    expect([['team:5'], ['team:6'], ['team:7']].map((tags) => marks.isVoid(tags, begunAt))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('voids nothing without tags', () => {
    const marks = new TagMarks({ maxTags: 1 });
    for (const tag of ['a', 'b', 'c']) marks.mark([tag]);
    expect(marks.isVoid([], -Infinity)).toBe(false);
  });

  it('changes its epoch with each mark, and only then', () => {
    const marks = new TagMarks();
    const first = marks.latest;
    const epochs = [['a', 'b'], [], ['a'], []].map((tags) => {
      marks.mark(tags);
      return marks.latest - first;
    });
    expect(epochs).toEqual([1, 1, 2, 2]);
    expect(marks.latest).toBe(marks.latest);
    expect(marks.isVoid(['a'], marks.latest)).toBe(false);
  });

  it.each(['__proto__', 'constructor', ''])('takes %j for a tag like any other', (tag) => {
    const marks = new TagMarks();
    const begun = marks.latest;
    marks.mark(['other']);
    expect(marks.isVoid([tag], begun)).toBe(false);
    marks.mark([tag]);
    expect(marks.isVoid([tag], begun)).toBe(true);
  });

  it('keeps 10,000 tags, and voids what began before the latest of those it dropped', () => {
    const marks = new TagMarks();
    const begun = marks.latest;
    for (let tag = 0; tag < 10_000; tag += 1) marks.mark([`tag ${tag}`]);
    expect([marks.size, marks.isVoid(['other'], begun)]).toEqual([10_000, false]);
    marks.mark(['tag 0']);
    // Marked again, so it is the oldest no longer.
    expect([marks.size, marks.isVoid(['other'], begun)]).toEqual([10_000, false]);
    marks.mark(['one more']);
    expect(marks.size).toBe(10_000);
    // `tag 1` was dropped, with epoch 2.
    expect([0, 1, 2].map((since) => marks.isVoid(['other'], begun + since))).toEqual([true, true, false]);
    expect(marks.isVoid(['tag 0'], begun + 2)).toBe(true);
  });

  it('voids all that began before a mark of more tags than it keeps', () => {
    const marks = new TagMarks({ maxTags: 2 });
    const begun = marks.latest;
    marks.mark(['a', 'b', 'c']);
    expect(marks.size).toBe(2);
    expect([marks.isVoid(['other'], begun), marks.isVoid(['other'], marks.latest)]).toEqual([true, false]);
  });

  it('is never wrong, only forgetful: it voids all that a list of all marks voids, and more only for what it dropped', () => {
    const tag = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    let agreed = 0;
    let forgotten = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.array(tag, { maxLength: 3 }), { maxLength: 12 }),
        fc.array(tag, { maxLength: 3 }),
        (maxTags, invalidations, tags) => {
          const marks = new TagMarks({ maxTags });
          const begun = [marks.latest];
          for (const invalidated of invalidations) {
            marks.mark(invalidated);
            begun.push(marks.latest);
            expect(marks.size).toBeLessThanOrEqual(maxTags);
          }
          begun.forEach((begunAt, moment) => {
            const since = invalidations.slice(moment);
            const mustBeVoid = since.some((invalidated) => invalidated.some((one) => tags.includes(one)));
            const isVoid = marks.isVoid(tags, begunAt);
            if (mustBeVoid) expect(isVoid).toBe(true);
            // Without tags nothing can be void, and where all marks have their place nothing is void without reason.
            if (tags.length === 0 || new Set(invalidations.flat()).size <= maxTags) expect(isVoid).toBe(mustBeVoid);
            if (begunAt === marks.latest) expect(isVoid).toBe(false);
            // What is void has seen an invalidation since it began.
            if (isVoid) expect(since.flat()).not.toEqual([]);
            if (isVoid === mustBeVoid) agreed += 1;
            else forgotten += 1;
          });
        },
      ),
      { numRuns: 300 },
    );
    expect(Math.min(agreed, forgotten)).toBeGreaterThan(20);
  });

  it('judges entries: void after a mark, expired after a soft one, as they are after none', () => {
    const marks = new TagMarks();
    const entryOf = (...tags: string[]) => createEntry({ value: 'v', ttl: Infinity, tags, begun: marks.latest }, 0);
    const [hard, soft, both, none, bare] = [entryOf('h'), entryOf('s'), entryOf('h', 's'), entryOf('n'), entryOf()];
    marks.mark(['s'], true);
    marks.mark(['h']);
    const [judgedSoft, ...others] = [soft, hard, both, none, bare].map((entry) => marks.judge(entry));
    expect(others).toEqual([undefined, undefined, none, bare]);
    expect(judgedSoft!.freshUntil).toBeLessThanOrEqual(Date.now());
    expect(bare).not.toHaveProperty('tags');
    expect(marks.judge(entryOf('h', 's'))).toMatchObject({ value: 'v' });
  });

  it('takes marks of another clock in any order', () => {
    const marks = new TagMarks({ start: -Infinity });
    const entryAt = (begun: number) => createEntry({ value: 'v', ttl: Infinity, tags: ['a'], begun }, 0);
    marks.markAt(200, ['a'], false);
    marks.markAt(100, ['a'], false);
    expect([199, 200].map((begun) => marks.judge(entryAt(begun))?.value)).toEqual([undefined, 'v']);
    marks.markAt(400, ['a'], true);
    marks.markAt(300, ['a'], true);
    expect([399, 400].map((begun) => marks.isVoid(['a'], begun))).toEqual([true, false]);
  });

  it('ends an entry at the first soft mark after its run began, or a little earlier', () => {
    jest.useFakeTimers({ now: 1_000 });
    const marks = new TagMarks();
    const entries = [1, 2, 3].map((second) => {
      jest.setSystemTime(second * 1_000);
      const entry = createEntry({ value: 'v', ttl: Infinity, tags: ['a'], begun: marks.latest }, Date.now());
      jest.setSystemTime(second * 1_000 + 500);
      marks.mark(['a'], true);
      return [entry, marks.judge(entry)!.freshUntil] as const;
    });
    expect(entries.map(([, end]) => end)).toEqual([1_500, 2_500, 3_500]);
    // The last two marks are kept.
    expect(entries.map(([entry]) => marks.judge(entry)!.freshUntil)).toEqual([1_000, 2_000, 3_500]);
    jest.useRealTimers();
  });

  it('voids what an earlier process has stored', () => {
    const entry = createEntry({ value: 'v', ttl: Infinity, tags: ['a'], begun: Date.now() - 1e6 }, 0);
    const marks = new TagMarks();
    expect(marks.judge(entry)).toBeUndefined();
  });
});
