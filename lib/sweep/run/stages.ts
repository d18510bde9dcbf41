/** A specification from plan to results, in one stage or in two. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonical } from '../../canonical.js';
import { OptionsError } from '../../errors.js';
import type { Executor, Outcome } from '../executors/executor.js';
import { byRungs } from '../executors/rungs.js';
import { collect } from '../executors/slurm/collect.js';
import { loadExperiments, moduleAddresses } from '../modules.js';
import { requireMeasured } from '../spec/demands.js';
import type { Spec } from '../spec/schema.js';
import type { Role } from '../store/plans.js';
import { openStore, type Store } from '../store/store.js';
import { firstStage, identityOf, inStages, secondStage } from './planning.js';
import type { Progress } from './progress.js';
import { pruner } from './pruning.js';
import { Budget } from './budget.js';
import { runPlan, type RunSummary } from './runner.js';

/** An executor, or what makes one for an open store. */
export type ExecutorChoice = Executor | ((store: Store, spec: Spec) => Executor);

/** How a specification is run, with nothing left open. */
export interface Settled {
  readonly store: string;
  readonly folder: string;
  readonly verify: boolean;
  readonly executor: ExecutorChoice;
  readonly signal?: AbortSignal | undefined;
  readonly stopping?: AbortSignal | undefined;
  /** Called once the plan is on the disk, before anything runs. */
  readonly onPlanned?: (() => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

export interface SweepSummary extends RunSummary {
  /** The sweep's number in its store. */
  readonly sweep: number;
  readonly store: string;
}

/** Runs what the store does not hold yet: first what can be planned at once, then what depends on it. */
export async function runSpec(
  spec: Spec,
  { store: place, folder, verify, executor: choice, onPlanned, ...how }: Settled,
): Promise<SweepSummary> {
  const modules = moduleAddresses(spec.modules, folder);
  await loadExperiments(modules);
  const store = openStore(place, { mode: 'write', verify });
  try {
    const chosen = typeof choice === 'function' ? choice(store, spec) : choice;
    if (chosen.name === 'local') await collect(store); // what a cluster has left, before it is run again
    const id = planInto(store, spec, folder);
    onPlanned?.();
    const checkpoints = join(store.folder, 'checkpoints');
    const waits = spec.pruning !== undefined && (spec.pruning.synchronous || !chosen.dynamic);
    if (waits && spec.budget.trials !== undefined)
      throw new OptionsError('sweep', [
        {
          path: 'budget.trials',
          keys: ['budget', 'trials'],
          value: String(spec.budget.trials),
          message: 'pruning that waits at rungs compares all trials together, never some of them; use budget.seconds or trialSeconds',
        },
      ]);
    const executor = waits ? byRungs(chosen, checkpoints) : chosen;
    const { timeout, memory, retries, failFast, pruning } = spec;
    const budget = new Budget(spec.budget);
    const stage = (role?: Role): Promise<RunSummary> => {
      const rungs = pruning === undefined || role === 'evaluation' ? undefined : pruner(pruning, spec.objective!, store, id);
      return runPlan({
        ...how,
        executor,
        store,
        sweep: id,
        role,
        modules,
        rungs,
        pruned: rungs !== undefined,
        timeout,
        memory,
        retries,
        failFast,
        budget,
        require: (record) => requireMeasured(spec, record),
      });
    };
    let summary = await stage(inStages(spec) ? 'tuning' : undefined);
    if (summary.ending === 'complete' && inStages(spec)) {
      store.extend(id, secondStage(spec, store, id));
      const { failed } = summary;
      summary = await stage('evaluation');
      summary = { ...summary, failed: summary.failed + failed };
    }
    if (summary.ending === 'complete') rmSync(checkpoints, { recursive: true, force: true }); // of other rungs, say
    return { ...summary, sweep: id, store: store.folder };
  } finally {
    store.close();
  }
}

/** Writes a specification and what can be planned of it. @returns its number */
export const planInto = (store: Store, spec: Spec, folder: string): number =>
  store.begin({ name: spec.name, spec: canonical(spec), folder, identity: identityOf(spec) }, firstStage(spec));
