import { describe, expect, it } from '@jest/globals';
import { parseAnnouncement, parseWakeUp, writeAnnouncement } from '../../lib/redis/messages.js';
import type { Announcement } from '../../lib/redis/messages.js';

describe('announcements', () => {
  it.each<[string, Exclude<Announcement, { type: 'tags' }>]>([
    ['key s1 getUser h1', { type: 'key', sender: 's1', namespace: 'getUser', hash: 'h1' }],
    ['run s1 getUser h1', { type: 'run', sender: 's1', namespace: 'getUser', hash: 'h1' }],
    ['namespace s1 getUser', { type: 'namespace', sender: 's1', namespace: 'getUser' }],
  ])('are written as %j and parsed back', (text, announcement) => {
    expect(writeAnnouncement(announcement)).toBe(text);
    expect(parseAnnouncement(text)).toEqual(announcement);
  });

  it('of tags are parsed as a script writes them', () => {
    expect(parseAnnouncement('tags s1 soft 1795358889123456 #a,#b%2Cc,#')).toEqual({
      type: 'tags',
      sender: 's1',
      tags: ['a', 'b,c', ''],
      isSoft: true,
      at: 1795358889123456,
    });
    expect(parseAnnouncement('tags s1 hard 1')).toBeUndefined();
  });

  it.each(['', 'key', 'key s1', 'key s1 getUser', 'other s1 getUser h1'])('ignore %j', (text) => {
    expect(parseAnnouncement(text)).toBeUndefined();
  });
});

describe('wake-ups', () => {
  it.each([
    ['done t1', { word: 'done', token: 't1' }],
    ['', { word: '', token: undefined }],
  ])('are parsed: %j', (text, wakeUp) => {
    expect(parseWakeUp(text)).toEqual(wakeUp);
  });
});
