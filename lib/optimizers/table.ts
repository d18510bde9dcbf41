/** The table of optimisers: adding one is a file of its own and a row here. Configurations, commands and presets read this table. */
import { adam, adamSchema } from './adam.js';
import { adamw, adamwSchema } from './adamw.js';
import { amgd, amgdSchema } from './amgd.js';
import { ekfac, ekfacSchema } from './ekfac.js';
import { foof, foofSchema } from './foof.js';
import { gaussNewton, gaussNewtonSchema } from './gaussNewton.js';
import { kfac, kfacSchema } from './kfac.js';
import { layerwise, layerwiseSchema } from './layerwise.js';
import { muon, muonSchema } from './muon.js';
import { naturalGradient, naturalGradientSchema } from './naturalGradient.js';
import { sgd, sgdSchema } from './sgd.js';
import { shampoo, shampooSchema } from './shampoo.js';
import { soap, soapSchema } from './soap.js';

export const optimizers = {
  sgd: { create: sgd, schema: sgdSchema },
  adam: { create: adam, schema: adamSchema },
  adamw: { create: adamw, schema: adamwSchema },
  layerwise: { create: layerwise, schema: layerwiseSchema },
  kfac: { create: kfac, schema: kfacSchema },
  ekfac: { create: ekfac, schema: ekfacSchema },
  foof: { create: foof, schema: foofSchema },
  shampoo: { create: shampoo, schema: shampooSchema },
  soap: { create: soap, schema: soapSchema },
  muon: { create: muon, schema: muonSchema },
  amgd: { create: amgd, schema: amgdSchema },
  gaussNewton: { create: gaussNewton, schema: gaussNewtonSchema },
  naturalGradient: { create: naturalGradient, schema: naturalGradientSchema },
} as const;

export type OptimizerName = keyof typeof optimizers;
