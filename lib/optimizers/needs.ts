import type { Needs } from '../types.js';

/** What entry-wise methods ask of the network: gradients and no more. */
export const needsGradientOnly: Needs = { inputs: false, outputFactor: 'none', gaussNewton: false };
