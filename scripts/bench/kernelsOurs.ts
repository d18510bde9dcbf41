/**
 * Our contender for the single operations, through the public API.
 *
 *   node --import tsx scripts/bench/kernelsOurs.ts
 *
 * Answers (serve.ts) questions OP:M:N:K:DTYPE (kernels.ts) with a number of the result.
 */
import { Matrix, Stream, cholesky, gemmInto, qr, svd, symmetricEigen, syrkInto, type Dtype } from '../../lib/index.js';
import { parseQuestion, type Kernel } from './kernels.js';
import { once, repeated, serve } from './serve.js';

const stream = new Stream(0);
const random = (rows: number, cols: number, dtype: Dtype): Matrix => stream.normal(Matrix.zeros(rows, cols, dtype));
/** Symmetric, with eigenvalues about 1. */
function spd(n: number, dtype: Dtype): Matrix {
  const a = random(n, n, dtype);
  const out = syrkInto(Matrix.zeros(n, n, dtype), a, true, 1 / n);
  for (let i = 0; i < n; i++) out.data[i * n + i] += 1;
  return out;
}

/** One operation, with buffers held. @returns a number of its result, so that all contenders can be compared */
function begin({ op, m, n, k }: Kernel, dtype: Dtype): () => number {
  switch (op) {
    case 'gemm': {
      const [a, b, out] = [random(m, k, dtype), random(k, n, dtype), Matrix.zeros(m, n, dtype)];
      return () => gemmInto(out, a, b).data[0];
    }
    case 'syrk': {
      const [a, out] = [random(k, n, dtype), Matrix.zeros(n, n, dtype)];
      return () => syrkInto(out, a, true).data[0];
    }
    case 'potrf': {
      const [a, out] = [spd(n, dtype), Matrix.zeros(n, n, dtype)];
      return () => cholesky(a, out).data[0];
    }
    case 'syevd': {
      const a = spd(n, dtype);
      const out = symmetricEigen(a);
      return () => symmetricEigen(a, out).values[0];
    }
    case 'svd': {
      const a = random(m, n, dtype);
      const out = svd(a);
      return () => svd(a, out).s[0];
    }
    case 'qr': {
      const a = random(m, n, dtype);
      const out = qr(a);
      return () => qr(a, out).r.data[0];
    }
    default: {
      const out = Matrix.zeros(1, n, dtype);
      return () => stream[op](out).data[0];
    }
  }
}

await serve(
  once((question) => {
    const { kernel, dtype } = parseQuestion(question);
    return { advance: repeated(begin(kernel, dtype)) };
  }),
  'result',
);
