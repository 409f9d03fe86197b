/// <reference lib="dom" />
import axe from 'axe-core';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { releaseReport, versionReport } from '../../src/report';
import { openBrowser } from '../support/chromium';
import { HOSTILE, releaseData, versionData } from './data';
import { lookAt } from './lookAt';

jest.setTimeout(180_000);

/** Where the pictures go that people want to look at. */
const PICTURES = process.env.SHOAL_PICTURES;

let folder: string;
const pages: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-report-'));
  const hostile = releaseData();
  const texts = {
    regression: await versionReport(versionData('regression')),
    classification: await versionReport(versionData('classification')),
    forecast: await versionReport(versionData('forecast')),
    embedding: await versionReport(versionData('embedding')),
    release: await releaseReport(releaseData()),
    hostile: await releaseReport({
      ...hostile,
      chain: HOSTILE,
      stages: hostile.stages.map((s) => ({ ...s, stage: HOSTILE + s.stage, needs: s.needs.map((n) => HOSTILE + n) })),
      outputStage: `${HOSTILE}gross`,
      slices: hostile.slices!.map((s) => ({ ...s, slice: HOSTILE + s.slice })),
    }),
  };
  for (const [name, text] of Object.entries(texts)) {
    pages[name] = path.join(folder, `${name}.html`);
    writeFileSync(pages[name], text);
  }
  if (PICTURES) mkdirSync(PICTURES, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that went wrong while the page was there, and everything that it asked for. */
function watch(page: Page): { noise: string[]; asked: string[] } {
  const seen = { noise: [] as string[], asked: [] as string[] };
  page.on('console', (message) => seen.noise.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.noise.push(error.message));
  page.on('dialog', (dialog) => { seen.noise.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on('request', (request) => seen.asked.push(request.url()));
  return seen;
}

const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }));
  return found.flatMap((v) => v.nodes.map((node) => `${v.id}: ${v.help}: ${node.html.slice(0, 120)}`));
};

describe.each([
  { colorScheme: 'light' as const, width: 1280 },
  { colorScheme: 'dark' as const, width: 1280 },
  { colorScheme: 'light' as const, width: 390 },
  { colorScheme: 'dark' as const, width: 390 },
])('in a browser, $colorScheme, $width pixels wide', (window) => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => { browser = await openBrowser(window); });
  afterAll(() => browser?.close());

  it.each(['regression', 'classification', 'forecast', 'embedding', 'release', 'hostile'])('the report of a %s can be seen and read', async (name) => {
    const page = await browser.context.newPage();
    const seen = watch(page);
    const url = pathToFileURL(pages[name]!).href;
    await page.goto(url);
    const closed = await page.evaluate(lookAt);
    expect(closed.parts.filter((p) => !p.inDetails && (p.width < 5 || p.height < 5))).toEqual([]);
    expect(closed.parts.filter((p) => p.name.startsWith('svg')).length).toBeGreaterThanOrEqual(7);
    expect(closed.outside).toEqual([]);
    if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${name}-${window.colorScheme}-${window.width}.png`), fullPage: true });

    await page.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
    const opened = await page.evaluate(lookAt);
    expect(opened.parts.filter((p) => p.width < 5 || p.height < 5)).toEqual([]);
    for (const look of [closed, opened]) {
      expect(look).toMatchObject({ pale: [], overflow: 0, dark: window.colorScheme === 'dark', scripts: 0, handlers: 0 });
    }
    expect(await violations(page)).toEqual([]);
    expect(seen).toEqual({ noise: [], asked: [url] });
    await page.close();
  });

  if (window.width === 1280) it('every chart puts something on the page', async () => {
    const page = await browser.context.newPage();
    for (const name of ['regression', 'classification', 'forecast', 'embedding', 'release']) {
      await page.goto(pathToFileURL(pages[name]!).href);
      for (const svg of await page.locator('svg').all()) {
        const drawn = await svg.screenshot();
        await svg.evaluate((element) => element.querySelectorAll('g').forEach((g) => g.setAttribute('visibility', 'hidden')));
        expect(drawn.equals(await svg.screenshot())).toBe(false);
      }
    }
    await page.close();
  });
});

describe('the look at a page', () => {
  it('notices pale text, in charts too, what is cut off, what is too wide, and a script', async () => {
    const browser = await openBrowser({ colorScheme: 'light', width: 390 });
    try {
      const page = await browser.context.newPage();
      await page.setContent(`<!doctype html><title>bad</title><body style="background: #fff; margin: 0"><p style="color: #aaa">pale</p><p>fine</p>
        <svg width="500" viewBox="0 0 500 50"><rect width="200" height="50" fill="#223355"/><text x="10" y="20">on dark</text><text x="300" y="20">on white</text><text x="490" y="20">cut off</text></svg>
        <img src="" onerror="1"><script>1</script>`);
      const look = await page.evaluate(lookAt);
      expect(look.pale.map((p) => p.split(':')[0])).toEqual(['pale', 'on dark']);
      expect(look.outside).toEqual(['cut off']);
      expect(look).toMatchObject({ overflow: 110, dark: false, scripts: 1, handlers: 1 });
      expect((await violations(page)).map((v) => v.split(':')[0])).toEqual(expect.arrayContaining(['color-contrast', 'image-alt', 'html-has-lang']));
    } finally {
      await browser.close();
    }
  });
});
