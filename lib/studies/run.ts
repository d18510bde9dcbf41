/** A study from plan to folder: run what is missing, analyse, write. */
import { existsSync, readFileSync } from 'node:fs';
import { provenance, type ExperimentRecord } from '../experiments/index.js';
import { writeFigure, type Claim, type Script, type Searched } from '../figures/index.js';
import { priceOf, runTrials, type FailureReport, type Progress, type Store, type Trial } from '../sweep/index.js';
import type { Study, StudyOptions } from './study.js';

export interface StudyRunOptions extends StudyOptions {
  /** Folder of figures; the study's own is below it. */
  readonly out: string;
  /** Opened for writing; trials are stored as they come, so that an interrupted study goes on where it was. */
  readonly store: Store;
  readonly jobs: number;
  readonly threads: number;
  /** Ends at once. */
  readonly signal?: AbortSignal | undefined;
  /** Ends in order. */
  readonly stopping?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export type StudyRun =
  | { readonly status: 'done'; readonly folder: string; readonly claims: readonly Claim[]; readonly searches: readonly Searched[] }
  | { readonly status: 'interrupted' }
  | { readonly status: 'failed'; readonly failures: readonly FailureReport[] };

export async function runStudy(study: Study, { out, scale, seed, ...how }: StudyRunOptions): Promise<StudyRun> {
  const options = { scale, seed };
  const records = new Map<string, ExperimentRecord>();
  const lookup = (t: Trial): ExperimentRecord | undefined => records.get(t.id);
  for (;;) {
    const planned = study.plan(options, lookup);
    if (planned.every((t) => records.has(t.id))) break;
    const result = await runTrials(planned, { ...how, name: `${study.name} ${scale} ${seed}` });
    if (result.summary.ending === 'stopped') return { status: 'interrupted' };
    if (result.failures.length > 0) return { status: 'failed', failures: result.failures };
    for (const t of planned) if (!records.has(t.id)) records.set(t.id, result.lookup(t)!);
  }
  const analysis = study.analyse(options, lookup);
  const claims = study.judge(analysis.data);
  const { searches = [] } = analysis;
  // Where its runs were made, which may be elsewhere than where it is drawn.
  const origins = [...new Map([...records.values()].map((r) => [JSON.stringify(r.provenance), r.provenance])).values()];
  const made = {
    command: `layerwise figures ${study.name} --scale ${scale} --seed ${seed}`,
    runs: records.size,
    seconds: [...records.values()].reduce((sum, r) => sum + r.timing.trainingSeconds, 0),
  };
  const folder = await writeFigure(out, {
    name: study.name,
    title: study.title,
    ...analysis,
    claims,
    timings: { ...analysis.timings, ...made, origins, drawnBy: provenance(), searches },
    page: {
      about: study.about,
      equations: study.equations,
      ...made,
      searches,
      script: scriptOf(study.name),
      protocol: analysis.data.protocol,
      config: study.plan(options, lookup)[0].config,
      environment: origins.length === 1 ? origins[0] : { origins },
    },
  });
  return { status: 'done', folder, claims, searches };
}

/** The short program of a figure, which the package has beside its library. */
function scriptOf(study: string): Script | null {
  const name = `scripts/figures/${study.replace('fig-', '')}.mjs`;
  const address = new URL(`../../${name}`, import.meta.url);
  return existsSync(address) ? { name, text: readFileSync(address, 'utf8').trimEnd() } : null;
}

export interface StudyForecast {
  /** Without a record yet. */
  readonly trials: number;
  /** On one core. */
  readonly seconds: number;
  /** Some end when they have reached a target, and then take less. */
  readonly less: boolean;
}

/** What is left of studies will take, each and all together: they share trials. @param store  with what has run; absent where nothing has
 *  @throws OptionsError, ArgumentError or FileError when a trial cannot run here */
export function forecastStudies(
  studies: readonly Study[],
  options: StudyOptions,
  store?: Store,
): { readonly each: Readonly<Record<string, StudyForecast>>; readonly all: StudyForecast } {
  const lookup = (t: Trial): ExperimentRecord | undefined => (store?.has(t.id) === true ? store.record(t.id) : undefined);
  const trials = studies.map((study) => study.expected?.(options, lookup) ?? study.plan(options, lookup));
  const forecast = (own: readonly Trial[]): StudyForecast => {
    const missing = [...new Map(own.map((t) => [t.id, t])).values()].filter(({ id }) => store?.has(id) !== true);
    const ends = (t: Trial): boolean => (t.config['train'] as { target?: unknown } | undefined)?.target !== undefined;
    return { trials: missing.length, seconds: priceOf(missing), less: missing.some(ends) };
  };
  return { each: Object.fromEntries(studies.map(({ name }, i) => [name, forecast(trials[i])])), all: forecast(trials.flat()) };
}
