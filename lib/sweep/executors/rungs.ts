/**
 * Successive halving with an executor that cannot ask back while trials run, and wherever it must repeat to the byte: all trials run to
 * a rung and wait there, those that may go on are submitted again, to the next one. They go on from the checkpoints they left. A sweep that
 * is resumed begins at the first rung again, where all that come were seen before, and so decides what it decided before.
 */
import { numbersOf } from '../store/encode.js';
import { endedAt } from '../run/pruning.js';
import { Checkpoints, type CheckpointFolder } from './checkpoints.js';
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
    yield* climb(inner, source, { ...options, rungs: { ...rungs, checkpoints: { folder, steps: rungs.steps } } });
  },
});

type ClimbOptions = ExecutorOptions & { readonly rungs: Rungs & { readonly checkpoints: CheckpointFolder } };

async function* climb(inner: Executor, source: JobSource, options: ClimbOptions): AsyncGenerator<Outcome> {
  const { rungs } = options;
  const seconds = new Seconds();
  let rest: readonly Job[] = [];
  for (const step of rungs.steps) {
    const candidates: (Candidate & { readonly outcome: Outcome })[] = [];
    const stage = new Stage(rest, source);
    const pause: Rungs = { ...rungs, steps: [step], decide: () => endedAt(step) };
    for await (const outcome of inner.run(stage, { ...options, rungs: pause })) {
      stage.heard(outcome);
      const value = valueAt(outcome, rungs.metric, step);
      if (value === undefined) {
        if ('failure' in outcome && outcome.failure.state !== 'lost') new Checkpoints(rungs.checkpoints, outcome.job.id).remove();
        yield seconds.whole(outcome);
      } else {
        seconds.add(outcome);
        options.onPause?.(outcome.job, outcome.attempt.seconds);
        candidates.push({ job: outcome.job, value, outcome });
      }
    }
    if (stage.unfinished) return; // nothing is compared: they come again, and go on from their checkpoints
    const promoted = rungs.promote(step, candidates);
    for (const { job, outcome } of candidates)
      if (!promoted.has(job)) {
        new Checkpoints(rungs.checkpoints, job.id).remove();
        yield seconds.paused(outcome);
      }
    rest = candidates.map(({ job }) => job).filter((job) => promoted.has(job));
    if (rest.length === 0) return;
  }
  for await (const outcome of inner.run(new Stage(rest, source), { ...options, rungs: { ...rungs, steps: [] } }))
    yield seconds.whole(outcome);
}

/** The trials that go to one rung: those that were let on, and what comes from the source; of a later rung those that were lost on the
 *  way to it. */
class Stage implements JobSource {
  readonly #rest: readonly Job[];
  readonly #source: JobSource;
  #at = 0;
  readonly #out = new Set<number>();

  constructor(rest: readonly Job[], source: JobSource) {
    this.#rest = rest;
    this.#source = source;
  }

  get ended(): boolean {
    return this.#source.ended;
  }

  next(): Job | undefined {
    if (this.ended) return undefined;
    const job = this.#rest[this.#at++] ?? this.#source.next();
    if (job !== undefined) this.#out.add(job.row);
    return job;
  }

  heard({ job }: Outcome): void {
    this.#out.delete(job.row);
  }

  /** Whether some have not come to the rung. */
  get unfinished(): boolean {
    return this.ended || this.#out.size > 0;
  }
}

/** A trial's seconds are those of all its parts. */
class Seconds {
  readonly #spent = new Map<number, number>();

  /** Of one that waits. */
  add({ job, attempt }: Outcome): void {
    this.#spent.set(job.row, (this.#spent.get(job.row) ?? 0) + attempt.seconds);
  }

  /** One that has waited, with all its seconds. */
  paused(outcome: Outcome): Outcome {
    return { ...outcome, attempt: { ...outcome.attempt, seconds: this.#spent.get(outcome.job.row) ?? 0 } };
  }

  /** One that has ended, or was lost and begins to count again. */
  whole(outcome: Outcome): Outcome {
    this.add(outcome);
    const all = this.paused(outcome);
    this.#spent.delete(outcome.job.row);
    return all;
  }
}

/** Of a trial that waits at a rung. */
function valueAt(outcome: Outcome, metric: string, step: number): number | undefined {
  if (!('record' in outcome) || outcome.record.state !== 'pruned' || outcome.record.steps !== step) return undefined;
  const curve = outcome.record.curves.find(({ name }) => name === metric);
  return curve === undefined ? undefined : numbersOf(curve.values).at(-1);
}
