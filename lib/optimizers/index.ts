/** The table of optimisers: adding one is a file of its own and a row here (configurations and commands read this table). */
import { adam, adamSchema } from './adam.js';
import { adamw, adamwSchema } from './adamw.js';
import { amgd, amgdSchema } from './amgd.js';
import { gaussNewton, gaussNewtonSchema } from './gaussNewton.js';
import { layerwise, layerwiseSchema } from './layerwise.js';
import { sgd, sgdSchema } from './sgd.js';

export const optimizers = {
  sgd: { create: sgd, schema: sgdSchema },
  adam: { create: adam, schema: adamSchema },
  adamw: { create: adamw, schema: adamwSchema },
  layerwise: { create: layerwise, schema: layerwiseSchema },
  amgd: { create: amgd, schema: amgdSchema },
  gaussNewton: { create: gaussNewton, schema: gaussNewtonSchema },
} as const;

export type OptimizerName = keyof typeof optimizers;

export { adam, type AdamOptions } from './adam.js';
export { adamw, type AdamwOptions } from './adamw.js';
export { amgd, type AmgdOptions } from './amgd.js';
export { gaussNewton, type GaussNewtonOptions } from './gaussNewton.js';
export { layerwise, type LayerwiseOptions } from './layerwise.js';
export { sgd, type SgdOptions } from './sgd.js';
