import { describe, expect, it } from '@jest/globals';
import { parseAnnouncement, parseWakeUp, writeAnnouncement } from '../../lib/redis/messages.js';
import type { Announcement } from '../../lib/redis/messages.js';

describe('announcements', () => {
  it.each<[string, Announcement]>([
    ['key s1 getUser h1', { type: 'key', sender: 's1', namespace: 'getUser', hash: 'h1' }],
    ['run s1 getUser h1', { type: 'run', sender: 's1', namespace: 'getUser', hash: 'h1' }],
    ['namespace s1 getUser', { type: 'namespace', sender: 's1', namespace: 'getUser' }],
  ])('are written as %j and parsed back', (text, announcement) => {
    expect(writeAnnouncement(announcement)).toBe(text);
    expect(parseAnnouncement(text)).toEqual(announcement);
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
