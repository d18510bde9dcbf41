/** The layer rules of the design hold, and would be seen to fail. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: object[]; options: object };

interface Checked {
  files: number;
  broken: string[];
}

/** @throws when there is nothing to check: rules over no file would always hold */
async function check(folder: string): Promise<Checked> {
  const { output } = await cruise(['lib'], { ...options, baseDir: folder, ruleSet: { forbidden }, validate: true } as ICruiseOptions);
  const { modules, summary } = output as ICruiseResult;
  if (modules.length === 0) throw new Error('no file was scanned');
  return { files: modules.length, broken: summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`) };
}

describe('imports in lib/', () => {
  it('go down only', async () => {
    const { files, broken } = await check(ROOT);
    expect(broken).toEqual([]);
    expect(files).toBeGreaterThan(60);
  });
});

/** Imports that break one rule each, all planted in one copy. */
const PLANTED: readonly (readonly [file: string, text: string, rule: RegExp])[] = [
  [
    'linalg/planted.ts',
    `import { train } from '../train/index.js';\nexport const x = train;\n`,
    /layer-2-imports-nothing-above: lib\/linalg\/planted/,
  ],
  [
    'metrics/planted.ts',
    `import type { Trial } from '../sweep/index.js';\nexport type X = Trial;\n`,
    /layer-5-imports-nothing-above: lib\/metrics\/planted/,
  ],
  [
    'optimizers/planted.ts',
    `import { twoLayer } from '../networks/index.js';\nexport const x = twoLayer;\n`,
    /optimizers-imports-no-sibling/,
  ],
  ['types.ts', `import { Matrix } from './linalg/index.js';\nexport const x = Matrix;\n`, /types-has-types-only/],
  ['data/planted.ts', `import { native } from '../native/index.js';\nexport const x = native;\n`, /native-is-for-linalg-and-random/],
  ['figures/planted.ts', `import { train } from '../train/index.js';\nexport const x = train;\n`, /figures-read-records-and-never-train/],
  [
    'report/planted.ts',
    `import { figTransfer } from '../studies/index.js';\nexport const x = figTransfer;\n`,
    /report-imports-no-sibling: lib\/report\/planted/,
  ],
  ['misc/planted.ts', `import { Stream } from '../random/index.js';\nexport const x = Stream;\n`, /in-some-layer/],
  ['losses/planted.ts', `import { y } from './planted2.js';\nexport const x = y;\n`, /no-cycles/],
  ['losses/planted2.ts', `import { x } from './planted.js';\nexport const y = x;\n`, /no-cycles/],
];

describe('the rules', () => {
  let folder: string;
  let broken: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'layerwise-layers-'));
    cpSync(join(ROOT, 'lib'), join(folder, 'lib'), { recursive: true });
    cpSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    for (const [path, text] of PLANTED) {
      mkdirSync(dirname(join(folder, 'lib', path)), { recursive: true });
      writeFileSync(join(folder, 'lib', path), text);
    }
    broken = (await check(folder)).broken.join('\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PLANTED)('fail on a planted import in %s', (_path, _text, rule) => {
    expect(broken).toMatch(rule);
  });

  it('fail on scanning no file', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'layerwise-layers-'));
    mkdirSync(join(empty, 'lib'));
    await expect(check(empty)).rejects.toThrow();
    rmSync(empty, { recursive: true });
  });
});
