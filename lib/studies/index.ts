/** The table of studies: one row a figure. */
import { figAlignment } from './figAlignment.js';
import { figBatchNorm } from './figBatchNorm.js';
import { figBatchSize } from './figBatchSize.js';
import { figCombined } from './figCombined.js';
import { figCondition } from './figCondition.js';
import { figDeep } from './figDeep.js';
import { figLr } from './figLr.js';
import { figOneStep } from './figOneStep.js';
import { figSpectrum } from './figSpectrum.js';
import { figTransfer } from './figTransfer.js';
import type { Study } from './study.js';

export const studies: Readonly<Record<string, Study>> = Object.fromEntries(
  [figTransfer, figCondition, figLr, figBatchNorm, figBatchSize, figAlignment, figOneStep, figSpectrum, figDeep, figCombined].map((s) => [
    s.name,
    s,
  ]),
);

export { forecastStudies, runStudy, type StudyForecast, type StudyRun } from './run.js';
export type { Analysis, Scale, Study, StudyOptions } from './study.js';
