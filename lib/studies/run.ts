/** A study from plan to folder: run what is missing, analyse, write. */
import { join } from 'node:path';
import { provenance, type ExperimentRecord } from '../experiments/index.js';
import { writeFigure, type Claim, type PageFigure } from '../figures/index.js';
import { folderStore, runTrials, type Progress, type SweepResult, type Trial } from '../sweep/index.js';
import type { Study, StudyOptions } from './study.js';

export interface StudyRunOptions extends StudyOptions {
  /** Folder of figures; the study's own is below it. */
  readonly out: string;
  readonly jobs: number;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export type StudyRun =
  | { readonly status: 'done'; readonly folder: string; readonly claims: readonly Claim[]; readonly page: PageFigure }
  | { readonly status: 'interrupted' }
  | { readonly status: 'failed'; readonly failures: SweepResult['failures'] };

/** Runs a study. Results are stored as they come, in DIR/NAME/trials: an interrupted study goes on where it was. */
export async function runStudy(study: Study, { out, jobs, threads, signal, onProgress, ...options }: StudyRunOptions): Promise<StudyRun> {
  const store = folderStore(join(out, study.name, 'trials'));
  const records = new Map<string, ExperimentRecord>();
  const lookup = (t: Trial): ExperimentRecord | undefined => records.get(t.id);
  for (;;) {
    const planned = study.plan(options, lookup);
    if (planned.every((t) => records.has(t.id))) break;
    const result = await runTrials(planned, { store, jobs, threads, signal, onProgress });
    if (result.interrupted) return { status: 'interrupted' };
    if (result.failures.length > 0) return { status: 'failed', failures: result.failures };
    for (const [id, record] of result.records) records.set(id, record);
  }
  const analysis = study.analyse(options, lookup);
  const { folder, page } = await writeFigure(out, {
    name: study.name,
    title: study.title,
    ...analysis,
    timings: { ...analysis.timings, provenance: provenance() },
  });
  return { status: 'done', folder, claims: analysis.claims, page };
}
