/**
 * The dense Gauss-Newton matrix of (G, F) for f(x) = F s(G x) and the squared loss: mean_i J_i' J_i, parameters flattened row by
 * row, G before F. Blocks, with S the activation derivatives:
 *   (G_ab, G_a'b') = (F'F)_aa' mean_i S_ia S_ia' x_ib x_ib'
 *   (G_ab, F_cd)   = F_ca mean_i S_ia x_ib z_id
 *   (F_cd, F_c'd') = [c = c'] mean_i z_id z_id'
 */
import { Matrix, gemm, syrk } from '../linalg/index.js';

export interface TwoLayerPass {
  /** n x d. */
  readonly inputs: Matrix;
  /** n x h: Z. */
  readonly active: Matrix;
  /** n x h: S; null for the identity activation. */
  readonly derivative: Matrix | null;
  /** y x h: F. */
  readonly head: Matrix;
}

/** Writes the matrix into `out`, p x p with p = h d + y h. */
export function gaussNewtonMatrix(out: Matrix, pass: TwoLayerPass): void {
  const { inputs: x, active: z, derivative: s, head: f } = pass;
  const [d, h, y] = [x.cols, z.cols, f.rows];
  const offset = h * d;
  const p = out.cols;
  const headGram = syrk(f, { transpose: true });
  const share = 1 / x.rows;

  const plain =
    s === null ? { gram: syrk(x, { transpose: true, alpha: share }), cross: gemm(x, z, { transposeA: true, alpha: share }) } : null;
  for (let a = 0; a < h; a++) {
    const xa = s === null ? x : weighted(x, s, a);
    const cross = plain?.cross ?? gemm(xa, z, { transposeA: true, alpha: share }); // d x h
    for (let c = 0; c < y; c++)
      for (let b = 0; b < d; b++)
        for (let e = 0; e < h; e++) {
          const value = f.data[c * h + a] * cross.data[b * h + e];
          out.data[(a * d + b) * p + offset + c * h + e] = value;
          out.data[(offset + c * h + e) * p + a * d + b] = value;
        }
    for (let a2 = 0; a2 <= a; a2++) {
      const gram = plain?.gram ?? gemm(xa, weighted(x, s!, a2), { transposeA: true, alpha: share });
      const factor = headGram.data[a * h + a2];
      for (let b = 0; b < d; b++)
        for (let b2 = 0; b2 < d; b2++) {
          const value = factor * gram.data[b * d + b2];
          out.data[(a * d + b) * p + a2 * d + b2] = value;
          out.data[(a2 * d + b2) * p + a * d + b] = value;
        }
    }
  }
  const activeGram = syrk(z, { transpose: true, alpha: share });
  for (let c = 0; c < y; c++)
    for (let e = 0; e < h; e++)
      for (let c2 = 0; c2 < y; c2++)
        for (let e2 = 0; e2 < h; e2++)
          out.data[(offset + c * h + e) * p + offset + c2 * h + e2] = c === c2 ? activeGram.data[e * h + e2] : 0;
}

/** x with row i multiplied by s_ia. */
function weighted(x: Matrix, s: Matrix, a: number): Matrix {
  const out = x.clone();
  for (let i = 0; i < x.rows; i++) {
    const w = s.data[i * s.cols + a];
    for (let j = 0; j < x.cols; j++) out.data[i * x.cols + j] *= w;
  }
  return out;
}
