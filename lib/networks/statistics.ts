/**
 * Output factors of the weight layers: means of g g', g = d loss / d (layer output), carried down from the outputs.
 *
 * `mc` and `empirical` are one backward pass. `ggn` is one for each column of a root of the loss's Hessian (S_i with H_i = S_i S_i'),
 * so as many as the network has outputs; but where that root is the same for all samples and the layers below are linear, so is what
 * comes down, and one product of r x width does for the whole batch. An entry-wise layer ends that: below it the row of sample i and
 * column k is R_k o S_i, whose mean outer product is still (R'R) o (S'S/n) (for f(x) = F s(G x): F'F o (S'S/n)).
 */
import { Matrix, copyBlock, hadamard, scale, syrkInto, type Rows } from '../linalg/index.js';
import type { LayerStats, OutputFactor, StatisticsRequest } from '../types.js';
import type { Layer } from './layers/layer.js';

/** A weight layer's report, and the space for it. */
class Report implements LayerStats {
  kind: OutputFactor = 'none';
  outputFactor: Matrix | null = null;
  outputRows: Matrix | null = null;
  readonly #layer: Layer;
  readonly #factor: Matrix; // m x m
  readonly #gram: Matrix; // m x m
  #rows: Matrix;

  constructor(layer: Layer) {
    this.#layer = layer;
    const { rows: m, dtype } = layer.parameters[0].value;
    this.#factor = Matrix.zeros(m, m, dtype);
    this.#gram = Matrix.zeros(m, m, dtype);
    this.#rows = Matrix.zeros(0, m, dtype);
  }

  get inputs(): Rows {
    return this.#layer.weighted!.inputs;
  }

  get positions(): number {
    return this.#layer.weighted!.positions;
  }

  clear(kind: OutputFactor): void {
    this.kind = kind;
    this.outputFactor = this.outputRows = null;
  }

  /** Adds the gradients of one block of `blocks`, times `factor`. @param dy  n x (positions m) */
  add(dy: Matrix, block: number, blocks: number, factor: number, keepRows: boolean): void {
    const m = this.#factor.rows;
    const g = dy.cols === m ? dy : Matrix.wrap(dy.data, dy.data.length / m, m);
    this.outputFactor = syrkInto(this.#factor, g, true, factor ** 2 / g.rows, block === 0 ? 0 : 1);
    if (!keepRows) return;
    if (this.#rows.rows !== blocks * g.rows) this.#rows = Matrix.zeros(blocks * g.rows, m, g.dtype);
    copyBlock(g, 0, 0, g.rows, m, this.#rows, block * g.rows, 0);
    if (factor !== 1 && block === blocks - 1) scale(factor, this.#rows);
    this.outputRows = this.#rows;
  }

  /** For rows R_k o S_i of a layer with one position: the factor R'R o (S'S/n), or R'R without a shade. */
  setShared({ root, shade }: Shared): void {
    syrkInto(this.#factor, root, true);
    if (shade !== null) hadamard(this.#factor, syrkInto(this.#gram, shade, true, 1 / shade.rows), this.#factor);
    this.outputFactor = this.#factor;
  }
}

/** What comes down as long as it is (nearly) the same for all samples: row k of sample i is R_k, or R_k o S_i. */
interface Shared {
  readonly root: Matrix; // r x width
  readonly shade: Matrix | null; // n x width
}

export class Statistics {
  readonly #layers: readonly Layer[];
  /** One a layer; null for those without a weight. */
  readonly reports: readonly (Report | null)[];
  /** Gradients of the last backward pass in the outputs of each weight layer. */
  readonly #recorded: (Matrix | null)[];
  /** The reports to fill in this pass. */
  readonly #wanted: (Report | null)[];
  #outputGradient: Matrix; // n x outputs
  #block: Matrix; // n x width
  #identity: Matrix; // outputs x outputs

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    this.reports = layers.map((layer) => (layer.weighted === undefined ? null : new Report(layer)));
    this.#recorded = layers.map(() => null);
    this.#wanted = [...this.reports];
    this.#outputGradient = this.#block = this.#identity = Matrix.zeros(0, 0);
  }

  /** Keeps what came to a layer's outputs in the backward pass of the loss: what the empirical factor is made of. */
  record(layer: number, outputGradient: Matrix): void {
    this.#recorded[layer] = outputGradient;
  }

  /** Fills the reports of the layers wanted. @param outputs  of the last forward pass; @param wanted  one a layer */
  fill({ needs: { outputFactor: kind, outputRows }, loss, stream }: StatisticsRequest, outputs: Matrix, wanted: readonly boolean[]): void {
    this.reports.forEach((report, l) => {
      report?.clear(wanted[l] ? kind : 'none');
      this.#wanted[l] = wanted[l] ? report : null;
    });
    const lowest = wanted.indexOf(true);
    const top = this.#layers.length - 1;
    switch (kind) {
      case 'none':
        return;
      case 'empirical': // the recorded gradients are of the mean loss
        for (let l = top; l >= lowest; l--) this.#wanted[l]?.add(this.#recorded[l]!, 0, 1, outputs.rows, outputRows);
        return;
      case 'mc':
        this.#outputGradient = sized(this.#outputGradient, outputs.rows, outputs.cols, outputs);
        loss.drawGradient(outputs, stream, this.#outputGradient);
        this.#descend(this.#outputGradient, top, lowest, 0, 1, outputRows);
        return;
      case 'ggn':
        if (loss.identityHessian) {
          this.#descendShared(outputs, lowest, outputRows);
          return;
        }
        this.#outputGradient = sized(this.#outputGradient, outputs.rows, outputs.cols, outputs);
        for (let k = 0; k < outputs.cols; k++) {
          loss.hessianRoot(outputs, k, this.#outputGradient);
          this.#descend(this.#outputGradient, top, lowest, k, outputs.cols, outputRows);
        }
    }
  }

  /** One backward pass from the outputs of layer `from`, adding to each report on the way. */
  #descend(dy: Matrix, from: number, lowest: number, block: number, blocks: number, keepRows: boolean): void {
    let current: Matrix | null = dy;
    for (let l = from; l >= lowest; l--) {
      this.#wanted[l]?.add(current!, block, blocks, 1, keepRows);
      if (l > lowest) current = this.#layers[l].backward(current!, null, true, 'fixed');
    }
  }

  /** From an identity Hessian: as far down as the rows keep their shared form, then block by block. */
  #descendShared({ rows: n, cols: c, dtype }: Matrix, lowest: number, keepRows: boolean): void {
    if (this.#identity.rows !== c || this.#identity.dtype !== dtype) this.#identity = Matrix.identity(c, dtype);
    let shared: Shared = { root: this.#identity, shade: null };
    for (let l = this.#layers.length - 1; l >= lowest; l--) {
      const layer = this.#layers[l];
      const report = this.#wanted[l];
      const { columnwise = false, derivative } = layer;
      const { root, shade } = shared;
      if (report !== null && !(root === this.#identity && shade === null)) {
        // A convolution's factor takes a sample's outputs position by position, which no product of whole rows does.
        if (keepRows || report.positions > 1)
          for (let k = 0; k < root.rows; k++) report.add(this.#rowOf(shared, k, n), k, root.rows, 1, keepRows);
        else report.setShared(shared);
      }
      if (l === lowest) return;
      if (layer.rootTimes !== undefined && (shade === null || columnwise)) shared = { root: layer.rootTimes(root), shade };
      else if (derivative !== undefined && shade === null) shared = { root, shade: derivative };
      else {
        for (let k = 0; k < root.rows; k++) {
          const below = layer.backward(this.#rowOf(shared, k, n), null, true, 'fixed');
          this.#descend(below!, l - 1, lowest, k, root.rows, keepRows);
        }
        return;
      }
    }
  }

  /** Row k of every sample, R_k or R_k o S_i. @returns n x width, held */
  #rowOf({ root, shade }: Shared, k: number, n: number): Matrix {
    const { cols } = root;
    this.#block = sized(this.#block, n, cols, root);
    const row = root.data.subarray(k * cols, (k + 1) * cols);
    for (let i = 0; i < n; i++) this.#block.data.set(row, i * cols);
    return shade === null ? this.#block : hadamard(this.#block, shade, this.#block);
  }
}

function sized(held: Matrix, rows: number, cols: number, like: Matrix): Matrix {
  return held.rows === rows && held.cols === cols && held.dtype === like.dtype ? held : Matrix.zeros(rows, cols, like.dtype);
}
