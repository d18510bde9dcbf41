export { configOf, settingOf, trial, type Setting, type Trial } from './spec/trial.js';
export { leaves, valueAt } from '../paths.js';
export { parseSpec, type Objective, type Spec, type SpecInput } from './spec/schema.js';
export { pathsOf } from './spec/space.js';
export { FAILURE_STATES, RESULT_STATES, TRIAL_STATES, type Failure, type TrialState } from './states.js';
export { openStore, Store, type ObjectiveInput, type StoreOptions } from './store/store.js';
export type { Best, Scored } from './store/best.js';
export { FORMATS, type ExportOptions, type Format } from './store/export.js';
export type { FailureReport, Query, Status, StoredCurve, StoredTrial } from './store/query.js';
export { forecast, settingsOf, type Forecasted } from './run/planning.js';
export { readLive, type Coordinator, type Live } from './run/live.js';
export type { Progress } from './run/progress.js';
export { runPlan, type Result, type RunSummary } from './run/runner.js';
export { localExecutor } from './executors/local.js';
export type { Executor } from './executors/executor.js';
export { loadExperiments, moduleAddresses } from './modules.js';
export { runTrials, type TrialsOptions, type TrialsResult } from './trials.js';
export { cancelAll, collect, tasksOf, type Collected } from './executors/slurm/collect.js';
export type { QueuedTask } from './executors/slurm/commands.js';
export { openSubmissions, type Submission } from './executors/slurm/ledger.js';
export {
  runSpec,
  slurm,
  sweep,
  type ConfigOf,
  type ExecutorChoice,
  type SweepOptions,
  type SweepRun,
  type SweepSpec,
  type SweepSummary,
} from './sweep.js';
