/**
 * What figures came to at full scale, kept with the code: takes it from a folder that `layerwise figures` has written to docs/results/figures,
 * and writes the tables of docs/claims.md and docs/single-index.md from what is there. A test judges the claims again from these files.
 *
 *   npm run build && npx layerwise figures --scale full --out full
 *   node --import tsx scripts/results.ts full      what is in the folder, then the tables
 *   node --import tsx scripts/results.ts           the tables alone
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measuredText, type Claim, type Searched } from '../lib/figures/index.js';
import { parse, stringify } from '../lib/json.js';
import { studies } from '../lib/studies/index.js';
import { markdown } from './bench/contender.js';
import { RESULT as THEORY, theoryTable, type TheoryResult } from './theory.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(ROOT, 'docs', 'results', 'figures');
/** With tables of results. */
const DOCUMENTS = ['claims.md', 'single-index.md'].map((name) => join(ROOT, 'docs', name));

/** One figure at full scale: its protocol, what its claims rest on, and where it was made. */
export interface FullResult {
  readonly study: string;
  readonly scale: string;
  readonly seed: number;
  readonly protocol: object;
  readonly provenance: { readonly cpu: string; readonly blas: string; readonly node: string; readonly commit: string };
  /** The command that makes it again. */
  readonly command: string;
  readonly runs: number;
  /** Of training, on one thread, all runs together. */
  readonly seconds: number;
  /** What was tried and found best, of figures that search. */
  readonly searches: readonly Searched[];
  readonly [evidence: string]: unknown;
}

/** By study, what is kept. */
export function fullResults(): Record<string, FullResult> {
  if (!existsSync(RESULTS)) return {};
  const files = readdirSync(RESULTS).filter((file) => file.endsWith('.json'));
  const read = (file: string): FullResult => parse(readFileSync(join(RESULTS, file), 'utf8')) as FullResult;
  return Object.fromEntries(files.map((file) => [file.slice(0, -'.json'.length), read(file)]));
}

/** Theory against simulation, as scripts/theory.ts keeps it. */
export const theoryResult = (): TheoryResult => JSON.parse(readFileSync(THEORY, 'utf8')) as TheoryResult;

/** @throws Error where the folder's figures are not of full scale: others prove too little */
function take(folder: string): void {
  mkdirSync(RESULTS, { recursive: true });
  for (const { name, evidence } of Object.values(studies)) {
    const path = (file: string): string => join(folder, name, file);
    if (!existsSync(path('data.json'))) continue;
    const data = parse(readFileSync(path('data.json'), 'utf8')) as FullResult;
    if (data.scale !== 'full') throw new Error(`${path('data.json')} is of ${data.scale} scale; make it with --scale full`);
    const { provenance } = parse(readFileSync(path('timings.json'), 'utf8')) as Pick<FullResult, 'provenance'>;
    const kept = Object.fromEntries(['study', 'scale', 'seed', 'protocol', ...evidence].map((key) => [key, data[key]]));
    const { figure } = parse(readFileSync(path('page.json'), 'utf8')) as {
      figure: Pick<FullResult, 'command' | 'runs' | 'seconds' | 'searches'>;
    };
    const { command, runs, seconds, searches } = figure;
    writeFileSync(join(RESULTS, `${name}.json`), `${stringify({ ...kept, command, runs, seconds, searches, provenance }, 1)}\n`);
  }
}

/** A document with a table of each figure's claims between `<!-- claims NAME -->` and `<!-- end -->`, and of theory.
 *  @throws Error for a figure that there is no result of */
export function rendered(document: string, results: Readonly<Record<string, FullResult>>): string {
  const theory = document.replace(
    /<!-- theory -->\n[^]*?<!-- end -->/g,
    () => `<!-- theory -->\n\n${markdown(theoryTable(theoryResult()))}\n\n<!-- end -->`,
  );
  return theory.replace(/<!-- claims (.+?) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
    if (results[name] === undefined) throw new Error(`a document asks for the claims of ${name}, of which there is no result`);
    const result = results[name];
    return `<!-- claims ${name} -->\n\n${table(studies[name].judge(result))}\n\n${made(result)}\n\n<!-- end -->`;
  });
}

/** How it was made, and what to know of its searches. */
function made({ command, runs, seconds, searches, provenance: { cpu, node, commit } }: FullResult): string {
  const edge = searches.filter((s) => s.atEdge).map(({ method, condition }) => `${method} (${condition})`);
  const found = `${searches.length} searches, ${edge.length === 0 ? 'no best setting at the edge of its grid' : `best at the edge of its grid: ${edge.join('; ')}`}. `;
  return `\`${command}\`: ${runs} runs, ${seconds.toFixed(0)} seconds of training on one thread of a ${cpu}, Node ${node}, commit ${commit.slice(0, 8)}. ${searches.length === 0 ? 'Nothing searched.' : found.trim()}`;
}

const table = (claims: readonly Claim[]): string =>
  markdown({
    header: ['claim', 'statement', 'measured', 'verdict'],
    rows: claims.map((c) => [c.id, c.statement, c.measured.map(measuredText).join('; '), c.verdict].map(cell)),
    words: 4,
  });

/** A bar would end the cell, and stars would set it in italics. */
const cell = (text: string): string => text.replace(/[|*]/g, '\\$&');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder !== undefined) take(folder);
  for (const path of DOCUMENTS) writeFileSync(path, rendered(readFileSync(path, 'utf8'), fullResults()));
}
