/**
 * The native operations as TypeScript sees them: the mirror of native/addon.cc. Shapes and flags travel in an Int32Array; the
 * comments in native/*.h give each layout. Callers are the one-op-a-file modules of lib/linalg and their siblings, which check
 * meaning; the addon itself checks memory safety again.
 */
export type Floats = Float64Array | Float32Array;
type Ints = Int32Array;

export interface Native {
  gemm(ints: Ints, alpha: number, a: Floats, b: Floats, beta: number, c: Floats): void;
  syrk(ints: Ints, alpha: number, a: Floats, beta: number, c: Floats): void;
  symm(ints: Ints, alpha: number, a: Floats, b: Floats, beta: number, c: Floats): void;
  trsm(ints: Ints, alpha: number, a: Floats, b: Floats): void;
  gemv(ints: Ints, alpha: number, a: Floats, x: Floats, beta: number, y: Floats): void;
  dot(x: Floats, y: Floats): number;
  nrm2(x: Floats): number;

  potrf(ints: Ints, a: Floats): number;
  potrs(ints: Ints, l: Floats, b: Floats): number;
  dampedSolve(ints: Ints, damping: number, a: Floats, shape: Floats | null, x: Floats, work: Floats): number;
  factorAbove(ints: Ints, shift: number, diagonal: Floats, a: Floats): number;
  mirrorLower(ints: Ints, diagonal: Floats | null, a: Floats): void;
  getrf(ints: Ints, a: Floats, pivots: Int32Array): number;
  getrs(ints: Ints, lu: Floats, pivots: Int32Array, b: Floats): void;
  qr(ints: Ints, a: Floats, q: Floats, r: Floats): number;
  orthonormalColumns(ints: Ints, a: Floats): number;
  gesdd(ints: Ints, a: Floats, u: Floats | null, s: Floats, vt: Floats | null): number;
  gelsd(ints: Ints, a: Floats, b: Floats, x: Floats, s: Floats, rcond: number): number;
  syevd(ints: Ints, a: Floats, w: Floats): number;
  syevr(ints: Ints, a: Floats, w: Floats, z: Floats | null): number;

  philox(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void;
  uniform(stream: Float64Array, out: Floats): void;
  normal(stream: Float64Array, deviation: number, out: Floats): void;
  rademacher(stream: Float64Array, scale: number, out: Floats): void;

  signs(ints: Ints, stream: Float64Array, bits: Uint32Array, fives: Uint8Array): void;
  transposeSigns(ints: Ints, bits: Uint32Array, transposedBits: Uint32Array, transposedFives: Uint8Array): void;
  signProduct(ints: Ints, fives: Uint8Array, a: Floats, out: Floats): void;
  signGram(ints: Ints, alpha: number, bits: Uint32Array, beta: number, c: Floats): void;

  axpby(alpha: number, x: Floats, beta: number, y: Floats): void;
  scale(alpha: number, x: Floats): void;
  hadamard(x: Floats, y: Floats, out: Floats): void;
  divideEntries(x: Floats, y: Floats, damping: number): void;
  adam(hyper: Float64Array, g: Floats, m: Floats, v: Floats, most: Floats | null, step: Floats): void;
  squaredLoss(ints: Ints, f: Floats, y: Floats, gradient: Floats): number;

  transpose(ints: Ints, a: Floats, out: Floats): void;
  copyBlock(ints: Ints, from: Floats, to: Floats): void;
  broadcastRow(ints: Ints, row: Floats, out: Floats): void;
  columnSums(ints: Ints, alpha: number, x: Floats, out: Floats): void;
  scaleRows(ints: Ints, x: Floats, s: Floats): void;
  scaleColumns(ints: Ints, x: Floats, s: Floats): void;
  divideByOuterSum(ints: Ints, x: Floats, left: Floats | null, right: Floats, damping: number): void;
  affineRows(ints: Ints, x: Floats, affine: Floats, y: Floats): void;

  activation(ints: Ints, parameters: Float64Array, x: Floats, y: Floats, derivative: Floats): void;
  softmax(ints: Ints, logits: Floats, out: Floats): void;
  softmaxCrossEntropy(ints: Ints, logits: Floats, labels: Floats, gradient: Floats): number;
  logisticLoss(ints: Ints, f: Floats, y: Floats, gradient: Floats): number;
  batchNormForward(ints: Ints, epsilon: number, h: Floats, moments: Floats, normalised: Floats): void;
  batchNormBackward(ints: Ints, epsilon: number, normalised: Floats, scales: Floats, dy: Floats, grads: Floats): void;
  layerNormForward(ints: Ints, epsilon: number, x: Floats, normalised: Floats, inverse: Floats): void;
  layerNormBackward(ints: Ints, normalised: Floats, inverse: Floats, gamma: Floats, dy: Floats, grads: Floats): void;

  unfold(ints: Ints, images: Floats, out: Floats): void;
  fold(ints: Ints, patches: Floats, out: Floats): void;
  maxPool(ints: Ints, images: Floats, out: Floats, chosen: Int32Array): void;
  maxPoolBackward(ints: Ints, dy: Floats, chosen: Int32Array, dx: Floats): void;
  averagePool(ints: Ints, images: Floats, out: Floats): void;
  averagePoolBackward(ints: Ints, dy: Floats, dx: Floats): void;

  systemInfo(): SystemInfo;
  setThreads(ints: Ints): void;
  endWithParent(): void;
}

/** What the process computes with. */
export interface SystemInfo {
  /** OpenBLAS's own description of its build. */
  readonly config: string;
  /** The kernel family OpenBLAS chose, such as Haswell or SkylakeX. */
  readonly kernel: string;
  readonly threads: number;
  readonly processors: number;
  readonly cpuFeatures: readonly string[];
  /** Bytes of grow-only work space held for LAPACK in this environment. */
  readonly scratchBytes: number;
}
