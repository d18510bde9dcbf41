import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { squared } from '../../lib/losses/index.js';
import { accuracy, meanLoss } from '../../lib/metrics/index.js';
import type { Batch, Loss, Network } from '../../lib/types.js';
import { DTYPES, build, maxAbsDiff, random, refuses, sumOver } from '../close.js';

/** A network that computes `outputsOf` row by row, and what it was asked for. */
function networkOf(outputs: number, outputsOf: (row: number[]) => number[]): { network: Network; asked: Matrix[] } {
  const asked: Matrix[] = [];
  const predict = (inputs: Matrix): Matrix => {
    asked.push(inputs);
    return Matrix.from(inputs.toRows().map(outputsOf), inputs.dtype);
  };
  return { network: { outputs, predict } as unknown as Network, asked };
}

/** The network that gives its inputs back. */
const echo = (outputs = 3): Network => networkOf(outputs, (row) => row).network;

const labelled = (rows: readonly number[][], labels: readonly number[]): Batch => ({
  inputs: Matrix.from(rows),
  targets: Matrix.from(labels.map((label) => [label])),
});

describe('accuracy', () => {
  it('is the fraction of rows whose largest output is the label', () => {
    const rows = [
      [5, 1, 2],
      [-3, -1, -2],
      [0, 1, 2],
      [0, 1, 2],
    ];
    expect(accuracy(labelled(rows, [0, 1, 2, 1]))(echo())).toBe(0.75);
    expect(accuracy(labelled(rows, [1, 0, 0, 0]))(echo())).toBe(0);
  });

  it.each([
    ['the first of equal outputs counts', [1, 2, 2], 1, 1],
    ['the second of equal outputs does not', [1, 2, 2], 2, 0],
    ['all outputs at -Infinity are equal', [-Infinity, -Infinity, -Infinity], 0, 1],
    ['Infinity is the largest', [1, 2, Infinity], 2, 1],
    ['NaN at the label is wrong', [NaN, 1, 2], 0, 0],
    ['NaN elsewhere is wrong', [1, 2, NaN], 1, 0],
    ['NaN everywhere is wrong', [NaN, NaN, NaN], 0, 0],
  ])('%s', (_claim, row, label, expected) => {
    expect(accuracy(labelled([row], [label]))(echo())).toBe(expected);
  });

  it.each(DTYPES)('evaluates slices of at most 1000 rows that are views of the inputs, in order: $dtype', ({ dtype }) => {
    const n = 2345;
    const inputs = random(n, 4, dtype);
    const labels = inputs.toRows().map((row, i) => (row.indexOf(Math.max(...row)) + (i % 5 === 0 ? 1 : 0)) % 4);
    const { network, asked } = networkOf(4, (row) => row);
    const value = accuracy({
      inputs,
      targets: Matrix.from(
        labels.map((label) => [label]),
        dtype,
      ),
    })(network);
    expect(value).toBe(1 - n / 5 / n);
    expect(asked.map((m) => [m.rows, m.cols, m.dtype])).toEqual([1000, 1000, 345].map((rows) => [rows, 4, dtype]));
    expect(asked.every((m) => m.data.buffer === inputs.data.buffer)).toBe(true);
  });

  it('needs no slice without rows after exactly 1000', () => {
    const { network, asked } = networkOf(2, (row) => row);
    accuracy({ inputs: Matrix.zeros(1000, 2), targets: Matrix.zeros(1000, 1) })(network);
    expect(asked.map((m) => m.rows)).toEqual([1000]);
  });

  it('sees what is written into the batch later', () => {
    const batch = labelled([[0, 1]], [0]);
    const metric = accuracy(batch);
    expect(metric(echo(2))).toBe(0);
    batch.inputs.data.set([1, 0]);
    expect(metric(echo(2))).toBe(1);
  });

  const rows = [
    [1, 2],
    [3, 4],
  ];
  const withLabel = (label: number) => (): number => accuracy(labelled(rows, [0, label]))(echo(2));
  refuses('accuracy', [
    [
      'targets are one-hot',
      () => accuracy({ inputs: Matrix.zeros(2, 3), targets: Matrix.zeros(2, 3) }),
      /targets must be n x 1, .*got 2 x 3/,
    ],
    ['rows differ', () => accuracy(labelled(rows, [0])), /equally many rows, at least 1, got 2 x 2 and 1 x 1/],
    ['there are no rows', () => accuracy({ inputs: Matrix.zeros(0, 3), targets: Matrix.zeros(0, 1) }), /at least 1, got 0 x 3 and 0 x 1/],
    ['a label is the number of outputs', withLabel(2), /labels must be integers in \[0, 2\), .*got 2 in row 1/],
    ['a label is negative', withLabel(-1), /got -1 in row 1/],
    ['a label is no integer', withLabel(0.5), /got 0.5 in row 1/],
    ['a label is NaN', withLabel(NaN), /got NaN in row 1/],
  ]);
});

describe('meanLoss', () => {
  it.each(DTYPES)('is the loss of the whole batch, evaluated in slices weighted by their rows: $dtype', ({ dtype, epsilon }) => {
    const n = 2345;
    const batch = { inputs: random(n, 3, dtype), targets: build(n, 3, (i, j) => (i < 2000 ? 0 : i + j) / 100).clone(dtype) };
    const { network, asked } = networkOf(3, (row) => row.map((x) => 2 * x));
    const expected = sumOver(batch.inputs.data, (x, at) => (2 * x - batch.targets.data[at]) ** 2) / n / 2;
    const value = meanLoss(squared, batch)(network);
    expect(Math.abs(value / expected - 1)).toBeLessThan(1000 * epsilon);
    expect(asked.map((m) => m.rows)).toEqual([1000, 1000, 345]);
    expect(asked.every((m) => m.data.buffer === batch.inputs.data.buffer)).toBe(true);
  });

  it('gives a loss outputs, targets and a gradient to write of fitting shapes, and leaves the batch as it was', () => {
    const shapes: number[][] = [];
    const loss = {
      evaluate(outputs: Matrix, targets: Matrix, gradient: Matrix) {
        gradient.data.fill(NaN);
        for (const m of [outputs, targets, gradient]) shapes.push([m.rows, m.cols]);
        return 1;
      },
    } as unknown as Loss;
    const batch = { inputs: random(1001, 2), targets: Matrix.zeros(1001, 1) };
    const before = batch.inputs.clone();
    expect(meanLoss(loss, batch)(echo(2))).toBe(1);
    expect(shapes).toEqual([1000, 1].flatMap((rows) => [2, 1, 2].map((cols) => [rows, cols])));
    expect(maxAbsDiff(batch.inputs, before)).toBe(0);
  });

  it('is NaN where the loss is', () => {
    expect(meanLoss(squared, { inputs: Matrix.from([[NaN]]), targets: Matrix.from([[0]]) })(echo(1))).toBeNaN();
  });

  refuses('meanLoss', [
    ['rows differ', () => meanLoss(squared, { inputs: Matrix.zeros(2, 1), targets: Matrix.zeros(3, 1) }), /equally many rows/],
    ['there are no rows', () => meanLoss(squared, { inputs: Matrix.zeros(0, 1), targets: Matrix.zeros(0, 1) }), /at least 1, got 0 x 1/],
  ]);
});
