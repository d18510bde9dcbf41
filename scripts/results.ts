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
import { edgeText, measuredText, type Claim, type Searched } from '../lib/figures/index.js';
import type { Provenance } from '../lib/experiments/index.js';
import { parse, stringify } from '../lib/json.js';
import { studies } from '../lib/studies/index.js';
import { markdown } from './bench/contender.js';
import { RESULT as THEORY, theoryTable, type TheoryResult } from './theory.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(ROOT, 'docs', 'results', 'figures');
/** With tables of results. */
const DOCUMENTS = ['claims.md', 'single-index.md'].map((name) => join(ROOT, 'docs', name));

/** How a figure came about. */
export interface Made {
  /** The command that makes it again. */
  readonly command: string;
  readonly runs: number;
  /** Of training, all runs together. */
  readonly seconds: number;
  /** Where the runs were made. */
  readonly origins: readonly Provenance[];
  /** What was tried and found best, of figures that search. */
  readonly searches: readonly Searched[];
}

/** One figure at full scale: its protocol, what its claims rest on, and where it was made. */
export interface FullResult {
  readonly study: string;
  readonly scale: string;
  readonly seed: number;
  readonly protocol: object;
  readonly made: Made;
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
    const { command, runs, seconds, origins, searches } = parse(readFileSync(path('timings.json'), 'utf8')) as Partial<Made>;
    if (origins === undefined)
      throw new Error(`${path('timings.json')} was written by another version: draw the figure again, its runs are kept`);
    const kept = Object.fromEntries(['study', 'scale', 'seed', 'protocol', ...evidence].map((key) => [key, data[key]]));
    const made = { command, runs, seconds, origins, searches };
    writeFileSync(join(RESULTS, `${name}.json`), `${stringify({ ...kept, made }, 1)}\n`);
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
    return `<!-- claims ${name} -->\n\n${table(studies[name].judge(result))}\n\n${madeText(result)}\n\n<!-- end -->`;
  });
}

/** How it was made, and what to know of its searches. */
function madeText({ made: { command, runs, seconds, origins, searches } }: FullResult): string {
  const edges = edgeText(searches);
  const found = edges === '' ? 'no best setting at the edge of its grid' : `best at the edge of its grid: ${edges}`;
  const places = origins.map(({ cpu, threads, node, blas, commit }) => {
    const openblas = /^\S+ \S+/.exec(blas)?.[0] ?? blas;
    return `${cpu}, ${threads === 1 ? 'one thread' : `${threads} threads`} a run, ${openblas}, Node ${node}, commit ${commit?.replace(/^(.{8})[^+]*/, '$1') ?? 'unknown'}`;
  });
  return `\`${command}\`: ${runs} runs, ${seconds.toFixed(0)} seconds of training in all; ${places.join('; ')}. ${searches.length === 0 ? 'Nothing is searched.' : `${searches.length} searches, ${found}.`}`;
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
