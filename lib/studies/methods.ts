/** The methods of linear representation learning, as figures compare them: each with the learning rates that are tried first. */
import type { StudyOptions } from './study.js';

export interface Method {
  readonly name: string;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly batchNorm?: boolean;
  readonly order?: string;
  readonly schedule?: Readonly<Record<string, unknown>>;
  /** Learning rates tried. */
  readonly grid: readonly number[];
  /** Shown in the curves; the rest stand in the dot plot and the data. */
  readonly main?: boolean;
  /** Takes so long a trial that it is left to the full scale. */
  readonly full?: boolean;
}

export const METHODS: readonly Method[] = [
  { name: 'Layer-wise (KFAC)', optimizer: { name: 'layerwise' }, order: 'alternating', grid: [0.005, 0.01, 0.02, 0.05, 0.1], main: true },
  { name: 'SGD', optimizer: { name: 'sgd' }, grid: [0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.4, 0.6], main: true },
  { name: 'Adam', optimizer: { name: 'adam' }, grid: [0.01, 0.03, 0.1, 0.3], main: true },
  { name: 'Batch-norm + SGD', optimizer: { name: 'sgd' }, batchNorm: true, grid: [0.03, 0.1, 0.3, 1], main: true },
  { name: 'Batch-norm + Adam', optimizer: { name: 'adam' }, batchNorm: true, grid: [0.003, 0.01, 0.03, 0.1], main: true },
  { name: 'AMGD', optimizer: { name: 'amgd' }, grid: [0.1, 0.3, 1, 3], main: true },
  { name: 'Whitened AMGD', optimizer: { name: 'amgd', whitened: true }, grid: [0.1, 0.2, 0.4, 0.8], main: true },
  { name: 'Full Gauss-Newton', optimizer: { name: 'gaussNewton', damping: 1e-3 }, grid: [0.01, 0.03, 0.1, 0.3], main: true },
  { name: 'SGD, momentum 0.9', optimizer: { name: 'sgd', momentum: 0.9 }, grid: [0.01, 0.03, 0.1, 0.3] },
  { name: 'AdamW', optimizer: { name: 'adamw' }, grid: [0.01, 0.03, 0.1, 0.3] },
  { name: 'Layer-wise, simultaneous', optimizer: { name: 'layerwise' }, order: 'simultaneous', grid: [0.01, 0.02, 0.05] },
  {
    name: 'Layer-wise, averaged factors',
    optimizer: { name: 'layerwise', factorDecay: 0.9 },
    order: 'alternating',
    grid: [0.01, 0.02, 0.05],
  },
  {
    name: 'Layer-wise, input side only',
    optimizer: { name: 'layerwise', outputFactor: 'none' },
    order: 'alternating',
    grid: [0.03, 0.1, 0.3],
  },
  { name: 'KFAC, factored damping', optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6 }, grid: [0.01, 0.02, 0.05] },
  {
    name: 'KFAC, drawn labels',
    optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6, outputFactor: 'mc' },
    grid: [0.01, 0.02, 0.05],
  },
  {
    name: 'KFAC, empirical Fisher',
    optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6, outputFactor: 'empirical' },
    grid: [0.0003, 0.001, 0.003, 0.01],
  },
  { name: 'EKFAC', optimizer: { name: 'ekfac', factorDecay: 0.9, damping: 1e-6 }, grid: [0.01, 0.02, 0.05] },
  { name: 'FOOF', optimizer: { name: 'foof', factorDecay: 0.9, damping: 1e-4 }, grid: [0.03, 0.1, 0.3] },
  { name: 'Shampoo', optimizer: { name: 'shampoo' }, grid: [0.03, 0.1, 0.3] },
  { name: 'SOAP', optimizer: { name: 'soap', weightDecay: 0 }, grid: [0.003, 0.01, 0.03] },
  { name: 'Muon', optimizer: { name: 'muon' }, grid: [0.003, 0.01, 0.03] },
  {
    name: 'Gauss-Newton, conjugate gradients',
    optimizer: { name: 'gaussNewton', solver: 'cg', damping: 1e-3, iterations: 20 },
    grid: [0.01, 0.03, 0.1, 0.3],
  },
  {
    name: 'Natural gradient, empirical',
    optimizer: { name: 'naturalGradient', damping: 1e-3, fisher: 'empirical' },
    full: true,
    grid: [0.03, 0.1, 0.3],
  },
];

export const methodsAt = (scale: StudyOptions['scale']): readonly Method[] => METHODS.filter((m) => m.full !== true || scale === 'full');

/** Those of these names, in this order. @throws Error for an unknown one */
export function methodsNamed(names: readonly string[]): Method[] {
  return names.map((name) => {
    const found = METHODS.find((m) => m.name === name);
    if (found === undefined) throw new Error(`there is no method '${name}'`);
    return found;
  });
}

/** Names that claims are about. */
export const LAYERWISE = 'Layer-wise (KFAC)';
export const GAUSS_NEWTON = 'Full Gauss-Newton';

/** The optimiser of a method at a learning rate: of both its parts where it is made of two. */
export function optimizerAt({ optimizer }: Method, learningRate: number): Readonly<Record<string, unknown>> {
  if (optimizer['name'] !== 'grafted') return { ...optimizer, learningRate };
  const part = (key: string): object => ({ ...(optimizer[key] as object), learningRate });
  return { ...optimizer, direction: part('direction'), magnitude: part('magnitude') };
}
