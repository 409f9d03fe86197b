import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
/** It asks nobody for anything, and runs as root in a container. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export interface Window { colorScheme: 'light' | 'dark'; width: number }

/** A headless browser with a profile of its own. */
export async function openBrowser({ colorScheme, width }: Window): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'shoal-chromium-'));
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable(), headless: true, args: ARGUMENTS, colorScheme, viewport: { width, height: 900 },
    });
    return { context, close: async () => { await context.close(); rmSync(profile, { recursive: true, force: true }); } };
  } catch (error) {
    rmSync(profile, { recursive: true, force: true });
    throw error;
  }
}

function executable(): string {
  const found = [process.env.SHOAL_CHROMIUM, ...PLACES].find((place) => place !== undefined && place !== '' && existsSync(place));
  if (found) return found;
  throw new Error('There is no Chromium to look at pages with. Install it (Debian: `apt-get install -y chromium`), or name yours: SHOAL_CHROMIUM=/path/to/chrome.');
}
