/**
 * Successive halving with an executor that cannot ask back while trials run, and wherever it must repeat to the byte: all trials run to
 * a rung, those that may go on are submitted again, to the next one. They go on from the checkpoints they left.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { numbersOf } from '../store/encode.js';
import { endedAt } from '../run/pruning.js';
import type { Candidate, Executor, ExecutorOptions, Job, JobSource, Outcome, Rungs } from './executor.js';

/** @param folder  where checkpoints are kept between rungs; every process that runs trials must see it */
export const byRungs = (inner: Executor, folder: string): Executor => ({
  name: inner.name,
  dynamic: true,
  get width() {
    return inner.width;
  },
  async *run(source, options) {
    const { rungs } = options;
    if (rungs === undefined) {
      yield* inner.run(source, options);
      return;
    }
    mkdirSync(folder, { recursive: true });
    // Those that were lost come again, behind the others.
    for (let jobs = drain(source); jobs.length > 0; jobs = drain(source)) yield* climb(inner, jobs, { ...options, rungs }, folder);
  },
});

async function* climb(
  inner: Executor,
  jobs: readonly Job[],
  options: ExecutorOptions & { rungs: Rungs },
  folder: string,
): AsyncGenerator<Outcome> {
  const { rungs, stopping } = options;
  let rest = jobs;
  for (const step of rungs.steps) {
    const candidates: (Candidate & { readonly outcome: Outcome })[] = [];
    const pause: Rungs = { ...rungs, steps: [step], decide: () => endedAt(step), checkpoints: folder };
    for await (const outcome of inner.run(sourceOf(rest), { ...options, rungs: pause })) {
      const value = valueAt(outcome, rungs.metric, step);
      if (value === undefined) yield outcome;
      else candidates.push({ job: outcome.job, value, outcome });
    }
    if (options.signal?.aborted === true || stopping?.aborted === true) return; // not compared: they run again, from their checkpoints
    const promoted = rungs.promote(step, candidates);
    for (const { job, outcome } of candidates)
      if (!promoted.has(job)) {
        rmSync(join(folder, `${job.id}.npz`), { force: true });
        yield outcome;
      }
    rest = candidates.map(({ job }) => job).filter((job) => promoted.has(job));
    if (rest.length === 0) return;
  }
  yield* inner.run(sourceOf(rest), { ...options, rungs: { ...rungs, steps: [], checkpoints: folder } });
}

/** Of a trial that waits at a rung. */
function valueAt(outcome: Outcome, metric: string, step: number): number | undefined {
  if (!('record' in outcome) || outcome.record.state !== 'pruned' || outcome.record.steps !== step) return undefined;
  const curve = outcome.record.curves.find(({ name }) => name === metric);
  return curve === undefined ? undefined : numbersOf(curve.values).at(-1);
}

function drain(source: JobSource): Job[] {
  const jobs: Job[] = [];
  for (let job = source.next(); job !== undefined; job = source.next()) jobs.push(job);
  return jobs;
}

function sourceOf(jobs: readonly Job[]): JobSource {
  let at = 0;
  return { next: () => jobs[at++] };
}
