import { once } from 'node:events';
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startPlayground } from '../../examples/playground/server.js';
import { launchBrowser, whyNoBrowser } from './chromium.js';

(whyNoBrowser === undefined ? describe : describe.skip)('the playground', () => {
  let playground: { server: Server; url: string } | undefined;
  let browser: Browser | undefined;
  let page: Page;
  let complaints: string[];
  let foreign: string[];

  beforeAll(async () => {
    playground = await startPlayground(resolve('examples/playground'), 0);
    browser = await launchBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (playground === undefined) return;
    const closed = once(playground.server, 'close');
    playground.server.close();
    playground.server.closeAllConnections();
    await closed;
  });

  beforeEach(async () => {
    complaints = [];
    foreign = [];
    // The page's own policy forbids what reads its counters.
    page = await browser!.newPage({ bypassCSP: true });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(playground!.url)) foreign.push(request.url());
    });
    // Nobody comes but those whom a test sends.
    await page.goto(`${playground!.url}#traffic=0`);
  }, 30_000);

  afterEach(async () => {
    expect([...complaints, ...foreign]).toEqual([]);
    await page.close();
  });

  const click = (name: string): Promise<void> => page.locator(`[name=${name}]`).click();
  const count = async (counter: string): Promise<number> =>
    Number.parseInt((await page.locator(`[data-count=${counter}]`).textContent()) ?? '');
  const until = (claim: string): Promise<unknown> =>
    page.waitForFunction(
      claim.replaceAll(/\$(\w+)/gu, `Number.parseInt(document.querySelector('[data-count=$1]').textContent)`),
    );
  /** A hundred more callers, until all of them have asked. */
  async function stampede(): Promise<void> {
    const before = await count('calls');
    await click('stampede');
    await until(`$calls >= ${before + 100} && $hits + $stale + $joins + $misses === $calls`);
  }

  it('keeps to a policy that lets nothing in from elsewhere', async () => {
    const strict = await browser!.newPage();
    strict.on('console', (message) => complaints.push(message.text()));
    strict.on('pageerror', (error) => complaints.push(String(error)));
    const response = await strict.goto(playground!.url);
    expect(response!.headers()['content-security-policy']).toBe("default-src 'self'; img-src data:");
    await strict.locator('[name=stampede]').click();
    await strict.locator('ol li', { hasText: 'fulfilled' }).first().waitFor();
    await strict.close();
  }, 30_000);

  it('lets a hundred callers share one run', async () => {
    await stampede();
    expect(await count('calls')).toBe(100);
    expect(await count('misses')).toBe(1);
    expect((await count('hits')) + (await count('stale')) + (await count('joins'))).toBe(99);
    expect(await count('requests')).toBe(1);
    expect(await count('saved')).toBe(99);
  }, 30_000);

  it('answers from the store until everything is forgotten', async () => {
    await stampede();
    await until('document.querySelector("ol").textContent.includes("fulfilled")');
    const hits = await count('hits');
    await stampede();
    expect(await count('hits')).toBeGreaterThan(hits);
    const misses = await count('misses');
    await click('clear');
    await stampede();
    expect(await count('misses')).toBe(misses + 1);
  }, 30_000);

  it('forgets one topic whose disk is clicked', async () => {
    await stampede();
    await until('document.querySelector("ol").textContent.includes("fulfilled")');
    const misses = await count('misses');
    const { x, y, width } = (await page.locator('canvas').boundingBox())!;
    await page.mouse.click(x + (430 / 960) * width, y + (130 / 960) * width);
    await stampede();
    expect(await count('misses')).toBe(misses + 1);
  }, 30_000);

  it('forgets a topic whose number is pressed', async () => {
    await stampede();
    await until('document.querySelector("ol").textContent.includes("fulfilled")');
    const misses = await count('misses');
    await page.keyboard.press('1');
    await stampede();
    expect(await count('misses')).toBe(misses + 1);
  }, 30_000);

  it('asks the upstream for every call when memoizeAsync is off', async () => {
    await click('memoized');
    await click('stampede');
    await until('$requests === 100');
    expect(await page.locator('pre').textContent()).toContain('const getReport = fetchReport;');
  }, 30_000);

  it('fails in one run for all, and asks again', async () => {
    await click('broken');
    await stampede();
    await until('$errors > 0 && $errors === $requests');
    const requests = await count('requests');
    // One, unless the machine is too slow for a hundred callers to arrive within one run.
    expect(requests).toBeLessThan(5);
    await click('broken');
    await click('stampede');
    await until(`$calls === 200 && $hits + $stale + $joins + $misses === 200`);
    expect(await count('requests')).toBe(requests + 1);
  }, 30_000);

  it('falls back to old values with staleIfError, while the upstream is broken', async () => {
    await stampede();
    await until('document.querySelector("ol").textContent.includes("fulfilled")');
    await click('staleWhileRevalidate');
    await click('staleIfError');
    await click('broken');
    expect(await page.locator('pre').textContent()).toContain('staleIfError: 20_000');
    await page.locator('[name=traffic]').fill('30');
    await until('$fallbacks > 0');
  }, 60_000);

  it('lets impatient callers leave a slow run', async () => {
    await click('slow');
    await click('impatient');
    await stampede();
    await until('$aborts === 100');
    expect(await page.locator('ol').textContent()).toContain('abort');
  }, 30_000);

  describe('with two processes', () => {
    const show = async (box: string, name: string): Promise<string | null> =>
      page.locator(`${box} [data-show=${name}]`).textContent();
    const shows = (box: string, name: string, text: string): Promise<void> =>
      page.locator(`${box} [data-show=${name}]`, { hasText: text }).waitFor();
    const [first, second, store] = ['[data-process="1"]', '[data-process="2"]', '[data-store]'];

    beforeEach(async () => {
      await page.goto(`${playground!.url}/processes.html`);
    });

    it('shares a result over the store, and answers from near without a command', async () => {
      await click('call-1');
      await shows(store, 'value', 'v1');
      await click('call-2');
      await shows(second, 'hits', '1');
      expect(await show(second, 'runs')).toBe('0');
      const commands = await show(store, 'commands');
      await click('call-2');
      await shows(second, 'hits', '2');
      expect(await show(store, 'commands')).toBe(commands);
    }, 30_000);

    it('answers from near while the store is down, and runs without near', async () => {
      await click('call-1');
      await shows(store, 'value', 'v1');
      await click('down');
      await click('call-1');
      await shows(first, 'hits', '1');
      await click('near');
      await click('call-1');
      await shows(first, 'value', 'v2');
      expect(await show(store, 'value')).toBe('v1');
    }, 30_000);

    it('is used by keyboard alone', async () => {
      await page.locator('[name=call-1]').focus();
      await page.keyboard.press('Enter');
      await shows(first, 'value', 'v1');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await shows(store, 'value', 'empty');
    }, 30_000);

    it('has a light and a dark scheme', async () => {
      const back = (): Promise<unknown> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await back()).toBe('rgb(244, 246, 250)');
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await back()).toBe('rgb(10, 18, 32)');
    }, 30_000);

    it('fits on a phone', async () => {
      await page.setViewportSize({ width: 390, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await page.goto(playground!.url);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    }, 30_000);
  });

  describe('with tags', () => {
    const shelf = (name: string, output: string): string => `[data-shelf=${name}] [data-show=${output}]`;
    const shows = (name: string, output: string, text: string): Promise<void> =>
      page.locator(shelf(name, output), { hasText: text }).waitFor();
    const callAll = async (): Promise<void> => {
      for (const name of ['apples', 'pears', 'tomatoes']) await click(`call-${name}`);
    };

    beforeEach(async () => {
      await page.goto(`${playground!.url}/tags.html`);
      await callAll();
      for (const name of ['apples', 'pears', 'tomatoes']) await shows(name, 'runs', '1');
    });

    it('runs again what carries a tag that was invalidated, and nothing else', async () => {
      await click('invalidate-fruit');
      await callAll();
      await shows('apples', 'runs', '2');
      await shows('pears', 'runs', '2');
      await shows('tomatoes', 'hits', '1');
    }, 30_000);

    it('answers with the old value where a tag was invalidated softly', async () => {
      const before = await page.locator(shelf('tomatoes', 'value')).textContent();
      await click('soft');
      await click('invalidate-red');
      await click('call-tomatoes');
      await shows('tomatoes', 'stale', '1');
      expect(await page.locator(shelf('tomatoes', 'value')).textContent()).toBe(before);
      await shows('tomatoes', 'runs', '2');
    }, 30_000);

    it('fits on a phone', async () => {
      await page.setViewportSize({ width: 390, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    }, 30_000);
  });
});
