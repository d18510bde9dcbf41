import { squaredLoss } from '../linalg/index.js';
import type { Loss } from '../types.js';

/** Squared loss, L = 1/(2n) sum_i |y_i - f(x_i)|^2; its gradient in the outputs is (f - y)/n. */
export const squared: Loss = { name: 'squared', evaluate: squaredLoss };
