/**
 * Logistic loss of independent binary targets in [0, 1], n x outputs: L = (1/n) sum_ij log(1 + exp f_ij) - y_ij f_ij. Of one sample, with
 * p = 1/(1 + exp(-f)): gradient p - y, Hessian diag(p (1 - p)).
 */
import { ArgumentError } from '../errors.js';
import { logisticLoss } from '../linalg/index.js';
import type { Loss } from '../types.js';

const probability = (f: number): number => (f >= 0 ? 1 / (1 + Math.exp(-f)) : Math.exp(f) / (1 + Math.exp(f)));

/** p (1 - p), without the cancellation of 1 - p for large f. */
const variance = (f: number): number => probability(f) * probability(-f);

export const logistic: Loss = {
  name: 'logistic',
  targets: (outputs) => outputs,
  evaluate(outputs, targets, gradient) {
    const bad = targets.data.findIndex((y) => !(y >= 0 && y <= 1));
    if (bad >= 0) {
      const row = Math.floor(bad / targets.cols);
      throw new ArgumentError(`logistic: the target in row ${row} is ${targets.data[bad]}; targets are in [0, 1]`);
    }
    return logisticLoss(outputs, targets, gradient);
  },
  identityHessian: false,
  hessianRoot(outputs, k, root) {
    root.data.fill(0);
    for (let at = k; at < root.data.length; at += root.cols) {
      root.data[at] = Math.sqrt(variance(outputs.data[at]));
    }
  },
  hessianTimes(outputs, x) {
    for (let j = 0; j < x.data.length; j++) x.data[j] *= variance(outputs.data[j]);
  },
  drawGradient(outputs, stream, gradient) {
    stream.uniform(gradient);
    for (let j = 0; j < gradient.data.length; j++) {
      const p = probability(outputs.data[j]);
      gradient.data[j] = p - (gradient.data[j] < p ? 1 : 0);
    }
  },
};
