import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { openBrowser } from '../support/chromium';
import { openLive, trainTwice, type Live, type Trained } from '../support/liveProject';
import { TestServer, until } from '../support/server';

jest.setTimeout(300_000);

/** Pictures are kept where this is set: how those of docs/pictures were made. */
const PICTURES = process.env.SHOAL_PICTURES;

let server: TestServer;
let trained: Trained;
let live: Live;
let browser: { context: BrowserContext; close(): Promise<void> };
let page: Page;

beforeAll(async () => {
  server = await TestServer.start();
  trained = await trainTwice(server);
  live = await openLive(server, trained, { approval: 'manual' });
  browser = await openBrowser({ colorScheme: 'light', width: 1400 });
  page = await browser.context.newPage();
});
afterAll(async () => {
  await browser?.close();
  await live?.close();
  await server?.stop();
});

/** What a workflow's page says of it now. */
async function details(workflowId: string): Promise<string> {
  await page.goto(`${server.ui}/namespaces/${live.project.namespace}/workflows/${encodeURIComponent(workflowId)}`, { waitUntil: 'load' });
  await page.getByText('User Metadata').first().click();
  await page.getByText('Current Details').first().waitFor();
  const shown = page.frameLocator('iframe').last().locator('body');
  return (await shown.count()) > 0 ? shown.innerText() : page.locator('body').innerText();
}

/** Waits until a workflow's page, which is drawn bit by bit, says all of it; the picture is of then. */
async function says(workflowId: string, expected: RegExp[], name: string): Promise<void> {
  let shown = '';
  await until(async () => {
    shown = await details(workflowId);
    return expected.every((pattern) => pattern.test(shown));
  }, { timeoutMs: 30_000 }).catch(() => undefined);
  await picture(name);
  for (const pattern of expected) expect(shown).toMatch(pattern);
}

/** Sends the update as the page says it, with words of one's own. */
async function send(workflowId: string, update: string, words: { by: string; reason: string }): Promise<void> {
  let row: string | undefined;
  await until(async () => {
    row = (await details(workflowId)).split('\n').find((line) => line.includes(update) && line.includes('{'));
    return row !== undefined;
  });
  const data = { ...JSON.parse(row!.slice(row!.indexOf('{'), row!.lastIndexOf('}') + 1)) as object, ...words };
  await page.getByRole('button', { name: 'More Actions' }).first().click();
  await page.getByRole('menuitem', { name: 'Send an Update' }).first().click();
  const dialog = page.getByRole('dialog').filter({ hasText: 'Send an Update' });
  await dialog.getByTestId('update-select-button').click();
  await dialog.getByRole('option', { name: update, exact: true }).click();
  await dialog.locator('.cm-content').first().click();
  await page.keyboard.insertText(JSON.stringify(data));
  // It is set in lines when it is left, and the dialog grows.
  await dialog.locator('#update-id').click();
  await picture(`send-${update}`);
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

async function picture(name: string): Promise<void> {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

const current = async () => (await live.view()).current!.number;

it('a person who knows only the Temporal UI sees state, reason and metrics, and approves', async () => {
  await live.shoal.propose('flats', trained.second, { by: 'ann', reason: 'more rows' });
  await live.inPhase('approval', 2);
  await says('release/flats', [/Candidate 2 \(more rows\): approval/, /rmse/, /What you can do now/], 'approval');
  await send('release/flats', 'approve', { by: 'ben', reason: 'looks right' });
  await until(async () => (await current()) === 2);
  expect((await live.view()).actions[0]).toMatchObject({ action: 'approve', by: 'ben', reason: 'looks right' });
});

it('rolls back', async () => {
  await send('release/flats', 'rollback', { by: 'ben', reason: 'phones do not stop' });
  await until(async () => (await current()) === 1);
  expect((await live.view()).actions[0]).toMatchObject({ action: 'roll back', by: 'ben', reason: 'phones do not stop' });
  await says('release/flats', [/ben: phones do not stop/], 'rolled-back');
});

it('refuses', async () => {
  await live.shoal.propose('flats', trained.second, { by: 'ann', reason: 'once more' });
  await live.inPhase('approval');
  await send('release/flats', 'refuse', { by: 'ben', reason: 'not before Monday' });
  await until(async () => (await live.view()).decisions[0]!.status === 'refused');
  expect([await current(), (await live.view()).decisions[0]]).toEqual([1, expect.objectContaining({ by: 'ben', reason: expect.stringContaining('not before Monday') })]);
});

it('trains a model', async () => {
  await live.project.train();
  await send('model/rent', 'requestRun', { by: 'ben', reason: 'to be sure' });
  await until(async () => (await live.project.model('rent')).runs[0]?.request.reason === 'to be sure', { timeoutMs: 120_000 });
  expect((await live.project.lastRun('rent')).request).toMatchObject({ by: 'ben', trigger: 'person' });
  await says('model/rent', [/Newest version/, /rmse/], 'model');
});
