/** The table of studies: one row a figure. */
import { figTransfer } from './figTransfer.js';
import type { Study } from './study.js';

export const studies: Readonly<Record<string, Study>> = { [figTransfer.name]: figTransfer };

export { runStudy, type StudyRun } from './run.js';
export type { Analysis, Scale, Study, StudyOptions } from './study.js';
