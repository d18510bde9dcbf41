/** The table of losses. */
import type { Loss } from '../types.js';
import { logistic } from './logistic.js';
import { softmaxCrossEntropy } from './softmaxCrossEntropy.js';
import { squared } from './squared.js';

export const losses = { squared, 'softmax-cross-entropy': softmaxCrossEntropy, logistic } as const satisfies Record<string, Loss>;
export type LossName = keyof typeof losses;

export { logistic, softmaxCrossEntropy, squared };
