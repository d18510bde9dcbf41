/** What a network in evaluation mode makes of a held batch, evaluated in slices of rows so that a large one needs little memory. */
import { ArgumentError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import type { Batch, Loss, Metric } from '../types.js';

/** Rows a slice. */
const SLICE = 1000;

/** Fraction of rows whose largest output is the label; the first of equal ones counts, and a row with a NaN output is wrong.
 *  @param batch  inputs n x d, targets n x 1: class indices; read at each evaluation, not copied
 *  @throws ArgumentError for other shapes or n = 0; when evaluated, for a label that is not an integer in [0, outputs) */
export function accuracy(batch: Batch): Metric {
  const slices = slicesOf('accuracy', batch);
  if (batch.targets.cols !== 1) throw new ArgumentError(`accuracy: targets must be n x 1, one label a row, got ${shape(batch.targets)}`);
  return (network) => {
    requireLabels(batch.targets, network.outputs);
    let right = 0;
    for (const { inputs, targets } of slices) {
      const outputs = network.predict(inputs);
      for (let i = 0; i < outputs.rows; i++) if (firstLargest(outputs, i) === targets.data[i]) right++;
    }
    return right / batch.inputs.rows;
  };
}

/** Mean loss over the rows.
 *  @param batch  inputs n x d, targets n x (what the loss takes); read at each evaluation, not copied
 *  @throws ArgumentError when the rows of inputs and targets differ or n = 0; what the loss throws when evaluated */
export function meanLoss(loss: Loss, batch: Batch): Metric {
  const slices = slicesOf('meanLoss', batch);
  return (network) => {
    let sum = 0;
    for (const { inputs, targets } of slices) {
      const outputs = network.predict(inputs);
      const gradient = Matrix.zeros(outputs.rows, outputs.cols, outputs.dtype); // not wanted, but a loss writes it
      sum += inputs.rows * loss.evaluate(outputs, targets, gradient);
    }
    return sum / batch.inputs.rows;
  };
}

/** The batch in slices of rows: views, not copies. */
function slicesOf(metric: string, { inputs, targets }: Batch): Batch[] {
  if (inputs.rows !== targets.rows || inputs.rows === 0)
    throw new ArgumentError(
      `${metric}: inputs and targets must have equally many rows, at least 1, got ${shape(inputs)} and ${shape(targets)}`,
    );
  return Array.from({ length: Math.ceil(inputs.rows / SLICE) }, (_, i) => {
    const rowsOf = (m: Matrix): Matrix => {
      const [from, to] = [i * SLICE, Math.min(m.rows, (i + 1) * SLICE)];
      return Matrix.wrap(m.data.subarray(from * m.cols, to * m.cols), to - from, m.cols);
    };
    return { inputs: rowsOf(inputs), targets: rowsOf(targets) };
  });
}

const shape = (m: Matrix): string => `${m.rows} x ${m.cols}`;

function requireLabels({ data }: Matrix, classes: number): void {
  for (let i = 0; i < data.length; i++)
    if (!(Number.isInteger(data[i]) && data[i] >= 0 && data[i] < classes))
      throw new ArgumentError(`accuracy: labels must be integers in [0, ${classes}), one for each output, got ${data[i]} in row ${i}`);
}

/** Column of the largest entry of a row, the first of equal ones; -1 when one is NaN. */
function firstLargest({ data, cols }: Matrix, row: number): number {
  let best = 0;
  for (let j = 0; j < cols; j++) {
    const value = data[row * cols + j];
    if (Number.isNaN(value)) return -1;
    if (value > data[row * cols + best]) best = j;
  }
  return best;
}
