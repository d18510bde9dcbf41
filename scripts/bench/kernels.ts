/** The operations that scripts/bench measures one by one, one list for all contenders. */
export const OPS = ['gemm', 'syrk', 'potrf', 'syevd', 'svd', 'qr', 'normal', 'rademacher', 'uniform'] as const;
export type Op = (typeof OPS)[number];

export interface Kernel {
  readonly op: Op;
  /** gemm: m x k times k x n. syrk: A'A for A k x n. potrf, syevd: n x n. svd, qr: m x n. Fills: n numbers. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const square = (op: Op, ...sizes: readonly number[]): Kernel[] => sizes.map((n) => ({ op, m: n, n, k: n }));

export const KERNELS: readonly Kernel[] = [
  { op: 'gemm', m: 1024, n: 100, k: 100 },
  { op: 'gemm', m: 1024, n: 8, k: 100 },
  { op: 'gemm', m: 100, n: 8, k: 1024 },
  { op: 'gemm', m: 4096, n: 1000, k: 1000 },
  ...square('gemm', 100, 512, 2000),
  { op: 'syrk', m: 0, n: 100, k: 1024 },
  { op: 'syrk', m: 0, n: 1000, k: 4096 },
  ...square('syrk', 100, 512, 2000),
  ...square('potrf', 100, 512, 1000, 2000),
  ...square('syevd', 100, 512, 1000),
  ...square('svd', 100, 512),
  { op: 'qr', m: 1024, n: 100, k: 0 },
  { op: 'qr', m: 100, n: 8, k: 0 },
  ...square('qr', 100, 512, 2000),
  ...(['normal', 'rademacher', 'uniform'] as const).map((op): Kernel => ({ op, m: 0, n: 2 ** 20, k: 0 })),
];

const SHAPES: Readonly<Record<Op, (kernel: Kernel) => readonly number[]>> = {
  gemm: ({ m, n, k }) => [m, n, k],
  syrk: ({ n, k }) => [n, k],
  potrf: ({ n }) => [n],
  syevd: ({ n }) => [n],
  svd: ({ m, n }) => [m, n],
  qr: ({ m, n }) => [m, n],
  normal: ({ n }) => [n],
  rademacher: ({ n }) => [n],
  uniform: ({ n }) => [n],
};

/** 'gemm 1024 x 100 x 100'. */
export const labelOf = (kernel: Kernel): string => `${kernel.op} ${SHAPES[kernel.op](kernel).join(' x ')}`;

/** Floating-point operations by the books; of a fill, its numbers. */
export function workOf({ op, m, n, k }: Kernel): number {
  switch (op) {
    case 'gemm':
      return 2 * m * n * k;
    case 'syrk':
      return n * n * k;
    case 'potrf':
      return n ** 3 / 3;
    case 'syevd':
      return 9 * n ** 3;
    case 'svd':
      return 4 * m * n * n + 22 * n ** 3;
    case 'qr':
      return 2 * (2 * m * n * n - (2 * n ** 3) / 3); // the factorisation, and then Q
    default:
      return n;
  }
}

/** A line that asks for it: OP:M:N:K:DTYPE. */
export const questionOf = ({ op, m, n, k }: Kernel, dtype: string): string => [op, m, n, k, dtype].join(':');

export function parseQuestion(text: string): { readonly kernel: Kernel; readonly dtype: 'float32' | 'float64' } {
  const [op, m, n, k, dtype] = text.split(':');
  return { kernel: { op: op as Op, m: Number(m), n: Number(n), k: Number(k) }, dtype: dtype as 'float32' | 'float64' };
}
