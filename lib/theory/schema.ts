/** Field types of theory's options. */
import { z } from 'zod';

export const numbers = z.custom<ArrayLike<number>>(
  (v) => Array.isArray(v) || v instanceof Float64Array || v instanceof Float32Array,
  'must be an array of numbers',
);
