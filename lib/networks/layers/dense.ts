/** Fully connected layer, y = W x + b with W m x n: a batch X becomes X W' + 1 b'. */
import {
  axpby,
  broadcastRow,
  columnSums,
  denseRows,
  gemm,
  gemmInto,
  Matrix,
  rowsTimes,
  timesRows,
  transpose,
  type Dtype,
  type Rows,
} from '../../linalg/index.js';
import { flat, type Layer, type OwnParameter, type Shape } from './layer.js';

export class Dense implements Layer {
  readonly shape: Shape;
  readonly parameters: readonly OwnParameter[];
  readonly gradients: readonly Matrix[];
  readonly affine = true;
  readonly mixesSamples = false;
  readonly state = {};
  readonly takesFactors = true;
  readonly weighted: { positions: number; inputs: Rows };

  readonly #weight: Matrix;
  readonly #bias: Matrix | null;
  readonly #dtype: Dtype;
  #outputs: Matrix;
  #inputGradient: Matrix;
  #tangent: Matrix;
  #root: Matrix;

  constructor(weight: OwnParameter, bias: OwnParameter | null) {
    this.parameters = bias === null ? [weight] : [weight, bias];
    this.gradients = this.parameters.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
    this.#weight = weight.value;
    this.#bias = bias?.value ?? null;
    this.#dtype = weight.value.dtype;
    this.shape = flat(weight.value.rows);
    const empty = Matrix.zeros(0, 0, this.#dtype);
    this.weighted = { positions: 1, inputs: empty };
    this.#outputs = this.#inputGradient = this.#tangent = this.#root = empty;
  }

  forward(x: Rows): Matrix {
    this.weighted.inputs = x;
    this.#outputs = this.#sized(this.#outputs, x.rows, this.#weight.rows);
    if (this.#bias === null) return rowsTimes(this.#outputs, x, this.#weight);
    return rowsTimes(broadcastRow(this.#bias, this.#outputs), x, this.#weight, 1);
  }

  backward(dy: Matrix, gradients: readonly Matrix[] | null, input: boolean): Matrix | null {
    if (gradients !== null) {
      timesRows(gradients[0], dy, this.weighted.inputs);
      if (this.#bias !== null) columnSums(dy, gradients[1]);
    }
    if (!input) return null;
    this.#inputGradient = this.#sized(this.#inputGradient, dy.rows, this.#weight.cols);
    return gemmInto(this.#inputGradient, dy, this.#weight);
  }

  tangent(dx: Matrix | null, [weight, bias]: readonly Matrix[]): Matrix {
    const { inputs } = this.weighted;
    const out = (this.#tangent = this.#sized(this.#tangent, inputs.rows, this.#weight.rows));
    if (this.#bias === null) rowsTimes(out, inputs, weight);
    else rowsTimes(broadcastRow(bias, out), inputs, weight, 1);
    return dx === null ? out : gemmInto(out, dx, this.#weight, 'NT', 1, 1);
  }

  predictAxes(): Matrix {
    const out = transpose(this.#weight);
    return this.#bias === null ? out : axpby(1, broadcastRow(this.#bias, Matrix.zeros(out.rows, out.cols, this.#dtype)), 1, out);
  }

  predict(x: Matrix): Matrix {
    if (this.#bias === null) return gemm(x, this.#weight, { transposeB: true });
    const out = broadcastRow(this.#bias, Matrix.zeros(x.rows, this.#weight.rows, this.#dtype));
    return gemmInto(out, x, this.#weight, 'NT', 1, 1);
  }

  rootTimes(root: Matrix): Matrix {
    this.#root = this.#sized(this.#root, root.rows, this.#weight.cols);
    return gemmInto(this.#root, root, this.#weight);
  }

  sampleGradients(dy: Matrix, into: Matrix, offset: number): void {
    const x = denseRows(this.weighted.inputs);
    const [m, n] = [this.#weight.rows, this.#weight.cols];
    for (let i = 0; i < dy.rows; i++) {
      let at = i * into.cols + offset;
      for (let r = 0; r < m; r++) for (let c = 0; c < n; c++) into.data[at++] = dy.data[i * m + r] * x.data[i * n + c];
      if (this.#bias !== null) for (let r = 0; r < m; r++) into.data[at++] = dy.data[i * m + r];
    }
  }

  #sized(held: Matrix, rows: number, cols: number): Matrix {
    return held.rows === rows && held.cols === cols ? held : Matrix.zeros(rows, cols, this.#dtype);
  }
}
