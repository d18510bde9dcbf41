import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../lib/linalg/index.js';
import { sequential } from '../../lib/networks/index.js';
import { expectClose, expectOrthonormal, sumOver, transposed } from '../close.js';

type Init = 'lecun' | 'he' | 'glorot' | 'orthogonal' | 'mean-field';

const weightsOf = (init: Init, seed: number, shape: { inputs?: number; outputs?: number; hidden?: number } = {}): Matrix[] => {
  const { inputs = 200, hidden = 300, outputs = 100 } = shape;
  return sequential({
    inputs,
    layers: [
      { kind: 'dense', outputs: hidden, init, bias: false },
      { kind: 'dense', outputs, init, bias: false },
    ],
    seed,
  }).params.map((p) => p.value);
};

const mean = ({ data }: Matrix, of: (x: number) => number): number => sumOver(data, of) / data.length;
const correlation = (a: Matrix, b: Matrix): number =>
  sumOver(a.data, (x, i) => x * b.data[i]) / Math.sqrt(sumOver(a.data, (x) => x * x) * sumOver(b.data, (x) => x * x));

describe('initial weights', () => {
  const VARIANCES = [
    ['lecun', '1/n', (_m: number, n: number) => 1 / n],
    ['he', '2/n', (_m: number, n: number) => 2 / n],
    ['glorot', '2/(n + m)', (m: number, n: number) => 2 / (n + m)],
    ['mean-field', '1/n^2', (_m: number, n: number) => 1 / n ** 2],
  ] as const;

  it.each(VARIANCES)('of %s are normal with mean 0 and variance %s, n the fan-in', (init, _formula, variance) => {
    for (const w of weightsOf(init, 3)) {
      const expected = variance(w.rows, w.cols);
      const count = w.data.length;
      expect(Math.abs(mean(w, (x) => x)) / Math.sqrt(expected / count)).toBeLessThan(5);
      expect(Math.abs(mean(w, (x) => x * x) / expected - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
      expect(Math.abs(mean(w, (x) => x ** 4) / expected ** 2 - 3)).toBeLessThan(5 * Math.sqrt(96 / count)); // a normal's kurtosis
    }
  });

  it.each(VARIANCES)(
    'of %s take the patch of a convolution for its fan-in, and kernel^2 channels for its fan-out',
    (init, _formula, variance) => {
      const { params } = sequential({
        inputs: { height: 3, width: 3, channels: 20 },
        layers: [{ kind: 'convolution', channels: 150, kernel: 3, init, bias: false }],
      });
      const [{ value: w }] = params;
      expect([w.rows, w.cols]).toEqual([150, 180]);
      expect(Math.abs(mean(w, (x) => x * x) / variance(9 * 150, 180) - 1)).toBeLessThan(5 * Math.sqrt(2 / w.data.length));
    },
  );

  it.each([
    ['tall', 5, 12],
    ['wide', 12, 5],
    ['square', 7, 7],
    ['one row', 6, 1],
    ['one column', 1, 6],
  ])('of orthogonal have orthonormal rows or columns: %s', (_title, n, m) => {
    for (const dtype of ['float64', 'float32'] as const) {
      const [{ value: w }] = sequential({ inputs: n, layers: [{ kind: 'dense', outputs: m, init: 'orthogonal' }], dtype }).params;
      expect(w.dtype).toBe(dtype);
      expect([w.rows, w.cols]).toEqual([m, n]);
      expectOrthonormal(m >= n ? w : transposed(w), dtype === 'float64' ? 1e-13 : 1e-6);
    }
  });

  it('are the same for one seed, in float32 those of float64 rounded, and others for another seed', () => {
    for (const init of ['lecun', 'he', 'glorot', 'orthogonal', 'mean-field'] as const) {
      const shape = { inputs: 80, hidden: 50, outputs: 40 };
      const [one, again, other] = [5, 5, 6].map((seed) => weightsOf(init, seed, shape));
      one.forEach((w, i) => expectClose(again[i], w, 0));
      expect(Math.abs(correlation(one[0], other[0]))).toBeLessThan(5 / Math.sqrt(80 * 50));
      const layers = [{ kind: 'dense', outputs: 4, init }] as const;
      const [double, single] = (['float64', 'float32'] as const).map((dtype) =>
        sequential({ inputs: 6, layers: [...layers], dtype, seed: 2 }),
      );
      expectClose(single.params[0].value, double.params[0].value, 1e-7);
    }
  });

  it('of layers are independent, and do not change with how others are drawn', () => {
    const [first, second] = weightsOf('he', 5, { inputs: 200, hidden: 200, outputs: 200 });
    expect(Math.abs(correlation(first, second))).toBeLessThan(5 / 200);
    const kinds = (['he', 'orthogonal'] as const).map((init) =>
      sequential({
        inputs: 6,
        layers: [{ kind: 'dense', outputs: 4, init }, { kind: 'layerNorm' }, { kind: 'dense', outputs: 3 }],
      }),
    );
    expectClose(kinds[0].params.at(-2)!.value, kinds[1].params.at(-2)!.value, 0);
  });
});
