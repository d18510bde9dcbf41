/**
 * What other codebases mean by these names, as options of ours; docs/optimizers.md says where each comes from and what stays different.
 * Learning rates are those the codebases start with, where they have one.
 */
import { OptionsError } from '../errors.js';
import type { Optimizer } from '../types.js';
import { optimizers } from './table.js';

export const presets = {
  /** The stylised KFAC of Zhang, Moniri et al. 2025; train in order 'alternating'. */
  paper: { name: 'layerwise', options: { outputFactor: 'ggn', damping: 1e-8, factorDecay: 0 } },
  /** google-deepmind/kfac-jax, with a fixed learning rate and damping. */
  'kfac-jax': {
    name: 'kfac',
    options: { outputFactor: 'mc', dampingKind: 'factored', factorDecay: 0.95, factorStart: 'batch', inversePeriod: 5, momentum: 0.9 },
  },
  /** gpauloski/kfac-pytorch before a plain SGD. */
  'kfac-pytorch': {
    name: 'kfac',
    options: {
      learningRate: 0.1,
      outputFactor: 'empirical',
      dampingKind: 'exact',
      damping: 1e-3,
      factorDecay: 0.95,
      factorStart: 'identity',
      normConstraint: 1e-3,
    },
  },
  /** freedbee/Neuron_Descent_and_KFAC: factors sum over the batch, so learning rate and damping grow with its size. */
  benzing: {
    name: 'foof',
    options: { learningRate: 30, damping: 100, factorScale: 'sum', factorDecay: 0.95, factorStart: 'batch', inversePeriod: 100 },
  },
  /** Algorithm 1 of Gupta, Koren & Singer 2018: sums, no momentum, L and R starting at epsilon I. */
  'shampoo-2018': { name: 'shampoo', options: { beta1: 0, beta2: 1, epsilon: 1e-4, biasCorrection: false, grafting: 'none' } },
  /** facebookresearch/optimizers, DistributedShampoo. */
  'distributed-shampoo': {
    name: 'shampoo',
    options: { learningRate: 0.01, beta1: 0.9, beta2: 1, epsilon: 1e-12, biasCorrection: true, blockSize: 1024, grafting: 'none' },
  },
  /** nikhilvyas/SOAP. */
  soap: { name: 'soap', options: { learningRate: 0.003, beta1: 0.95, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, period: 10 } },
  /** KellerJordan/Muon. */
  muon: { name: 'muon', options: { learningRate: 0.02, momentum: 0.95, nesterov: true, steps: 5 } },
} as const;

export type PresetName = keyof typeof presets;

/** The optimiser of a preset, with changes.
 *  @param overrides  options of the underlying optimiser (the preset's `name`)
 *  @throws OptionsError naming the field, the value and what is allowed */
export function preset(name: PresetName, overrides: Readonly<Record<string, unknown>> = {}): Optimizer {
  if (!Object.hasOwn(presets, name))
    throw new OptionsError('preset', [
      { path: '', value: JSON.stringify(name), message: `must be one of ${Object.keys(presets).join(', ')}; got ${JSON.stringify(name)}` },
    ]);
  if (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides))
    throw new OptionsError('preset', [{ path: '', value: JSON.stringify(overrides), message: 'overrides must be an object of options' }]);
  const { name: optimizer, options } = presets[name];
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return (optimizers[optimizer].create as (o: object) => Optimizer)({ ...options, ...given });
}
