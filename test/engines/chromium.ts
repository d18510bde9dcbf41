/** A real browser for the tests of pages. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { requirePrograms } from './install.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Off the network but for what a page asks for itself. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @throws Error where there is none and it cannot be installed */
export function openChromium(): Promise<Browser> {
  const path = (): string | undefined => PLACES.find((place) => existsSync(place));
  if (path() === undefined) requirePrograms(['chromium'], 'chromium');
  return chromium.launch({ executablePath: path()!, args: ARGUMENTS });
}
