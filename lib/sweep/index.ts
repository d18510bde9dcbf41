export { trial, type Trial } from './trial.js';
export { folderStore, type Store } from './store.js';
export { runTrials, type Progress, type SweepOptions, type SweepResult } from './runner.js';
