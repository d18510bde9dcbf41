/** A study from plan to folder: run what is missing, analyse, write. */
import { provenance, type ExperimentRecord } from '../experiments/index.js';
import { writeFigure, type Claim } from '../figures/index.js';
import { runTrials, type FailureReport, type Progress, type Store, type Trial } from '../sweep/index.js';
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
  | { readonly status: 'done'; readonly folder: string; readonly claims: readonly Claim[] }
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
  const folder = await writeFigure(out, {
    name: study.name,
    title: study.title,
    ...analysis,
    claims,
    timings: { ...analysis.timings, provenance: provenance() },
    page: {
      about: study.about,
      equations: study.equations,
      command: `layerwise figures ${study.name} --scale ${scale} --seed ${seed}`,
      protocol: analysis.data.protocol,
      config: study.plan(options, lookup)[0].config,
      environment: provenance(),
      runs: records.size,
      seconds: [...records.values()].reduce((sum, r) => sum + r.timing.trainingSeconds, 0),
    },
  });
  return { status: 'done', folder, claims };
}
