/** A real browser for the tests of pages. They never skip: where there is none it is installed, and where it cannot be, they fail. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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

/** @throws Error naming the command that installs it */
function chromiumPath(): string {
  const found = (): string | undefined => PLACES.find((path) => existsSync(path));
  const path = found();
  if (path !== undefined) return path;
  const install = 'apt-get update && apt-get install -y --no-install-recommends chromium';
  const root = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  const said = root
    ? spawnSync('sh', ['-c', install], { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    : null;
  const installed = found();
  if (installed === undefined)
    throw new Error(
      `there is no Chromium; install it as root: ${install}${said === null ? '' : `\n${said.stdout.slice(-500)}${said.stderr.slice(-500)}`}`,
    );
  return installed;
}

export const openChromium = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath(), args: ARGUMENTS });
