/**
 * The methods whose step length Shampoo can take (layer-wise grafting; Agarwal et al. 2020, Anil et al. 2020). Each is a diagonal
 * preconditioner of the averaged gradient that Shampoo preconditions too, m <- beta1 m + (1 - beta1) g, m^ = m / correction:
 *   sgd      m^
 *   adagrad  v <- v + g^2;                       m^ / (sqrt v + epsilon)
 *   adam     v <- beta2 v + (1 - beta2) g^2;     m^ / (sqrt(v / (1 - beta2^t)) + epsilon): v is corrected for bias whether m is or not
 */
import { adamStep, copy, ema, Matrix, scale } from '../linalg/index.js';

export const GRAFTING = ['none', 'sgd', 'adagrad', 'adam'] as const;
export type Grafting = (typeof GRAFTING)[number];

export const hasSquare = (grafting: Grafting): boolean => grafting === 'adagrad' || grafting === 'adam';

export interface GraftingRates {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1 - beta1^t, or 1. */
  readonly meanCorrection: number;
  /** 1 - beta2^t. */
  readonly squareCorrection: number;
}

/** Where the results go, of the parameter's shape. */
export interface GraftingWork {
  readonly averaged: Matrix; // m^
  readonly direction: Matrix; // the grafted method's step over -learningRate
  readonly hyper: Float64Array; // 6
}

/** Moves m and v on with the gradient; writes m^ and the grafted method's direction (none: as it was).
 *  @param square  v, where the method has one */
export function graftedDirection(
  grafting: Grafting,
  gradient: Matrix,
  mean: Matrix,
  square: Matrix | null,
  rates: GraftingRates,
  { averaged, direction, hyper }: GraftingWork,
): void {
  const { beta1, beta2, epsilon, meanCorrection, squareCorrection } = rates;
  if (grafting === 'adam' && square !== null) {
    hyper.set([-1, beta1, beta2, epsilon, meanCorrection, squareCorrection]);
    adamStep(hyper, gradient, mean, square, null, direction);
  } else ema(mean, gradient, beta1);
  scale(1 / meanCorrection, copy(mean, averaged));
  if (grafting === 'sgd') copy(averaged, direction);
  if (grafting === 'adagrad' && square !== null)
    for (let j = 0; j < square.data.length; j++) {
      square.data[j] += gradient.data[j] ** 2;
      direction.data[j] = averaged.data[j] / (Math.sqrt(square.data[j]) + epsilon);
    }
}
