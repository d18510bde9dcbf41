/**
 * 2-D convolution as a product with unfolded patches (im2col): patches are (n positions) x (kernel^2 channels), the weight is
 * out x (kernel^2 channels), ordered (row, column, channel) like the patches. For KFAC's factors on convolutions: Grosse & Martens 2016.
 */
import { broadcastRow, columnSums, convolutionOutput, fold, gemmInto, Matrix, unfold, type ConvolutionShape } from '../../linalg/index.js';
import { sizeOf, type Layer, type OwnParameter, type Shape } from './layer.js';

interface Buffers {
  readonly n: number;
  readonly patches: Matrix; // (n positions) x in
  readonly patchGradient: Matrix; // the same
  readonly outputs: Matrix; // n x (positions out)
  readonly tangent: Matrix; // n x (positions out)
  readonly inputGradient: Matrix; // n x inputs
}

export class Convolution implements Layer {
  readonly shape: Shape;
  readonly parameters: readonly OwnParameter[];
  readonly gradients: readonly Matrix[];
  readonly affine = true;
  readonly mixesSamples = false;
  readonly state = {};
  readonly weighted: { positions: number; inputs: Matrix };

  readonly #geometry: ConvolutionShape;
  readonly #weight: Matrix;
  readonly #bias: Matrix | null;
  #held: Buffers | undefined;

  constructor(weight: OwnParameter, bias: OwnParameter | null, geometry: ConvolutionShape) {
    this.parameters = bias === null ? [weight] : [weight, bias];
    this.gradients = this.parameters.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
    this.#weight = weight.value;
    this.#bias = bias?.value ?? null;
    this.#geometry = geometry;
    const { height, width } = convolutionOutput(geometry);
    this.shape = { height, width, channels: weight.value.rows };
    this.weighted = { positions: height * width, inputs: Matrix.zeros(0, 0, weight.value.dtype) };
  }

  forward(x: Matrix): Matrix {
    const { patches, outputs } = this.#buffers(x.rows);
    this.weighted.inputs = unfold(x, this.#geometry, patches);
    this.#multiply(patches, this.#weight, this.#bias, outputs);
    return outputs;
  }

  backward(dy: Matrix, gradients: readonly Matrix[] | null, input: boolean): Matrix | null {
    const { patches, patchGradient, inputGradient } = this.#buffers(dy.rows);
    const pixels = this.#pixels(dy);
    if (gradients !== null) {
      gemmInto(gradients[0], pixels, patches, 'TN');
      if (this.#bias !== null) columnSums(pixels, gradients[1]);
    }
    return input ? fold(gemmInto(patchGradient, pixels, this.#weight), this.#geometry, inputGradient) : null;
  }

  tangent(dx: Matrix | null, [weight, bias]: readonly Matrix[]): Matrix {
    const { patches, patchGradient, tangent } = this.#held!;
    this.#multiply(patches, weight, this.#bias === null ? null : bias, tangent);
    if (dx !== null) gemmInto(this.#pixels(tangent), unfold(dx, this.#geometry, patchGradient), this.#weight, 'NT', 1, 1);
    return tangent;
  }

  predict(x: Matrix): Matrix {
    const { rows, cols, dtype } = this.#weight;
    const patches = unfold(x, this.#geometry, Matrix.zeros(x.rows * this.weighted.positions, cols, dtype));
    const out = Matrix.zeros(x.rows, this.weighted.positions * rows, dtype);
    this.#multiply(patches, this.#weight, this.#bias, out);
    return out;
  }

  sampleGradients(dy: Matrix, into: Matrix, offset: number): void {
    const { positions, inputs } = this.weighted;
    const [m, n] = [this.#weight.rows, this.#weight.cols];
    for (let i = 0; i < dy.rows; i++) {
      const start = i * into.cols + offset;
      into.data.fill(0, start, start + m * n + (this.#bias === null ? 0 : m));
      for (let t = i * positions; t < (i + 1) * positions; t++)
        for (let r = 0; r < m; r++) {
          const g = dy.data[t * m + r];
          for (let c = 0; c < n; c++) into.data[start + r * n + c] += g * inputs.data[t * n + c];
          if (this.#bias !== null) into.data[start + m * n + r] += g;
        }
    }
  }

  #multiply(patches: Matrix, weight: Matrix, bias: Matrix | null, out: Matrix): void {
    const pixels = this.#pixels(out);
    if (bias === null) gemmInto(pixels, patches, weight, 'NT');
    else gemmInto(broadcastRow(bias, pixels), patches, weight, 'NT', 1, 1);
  }

  /** A batch of outputs with a pixel a row. */
  #pixels(y: Matrix): Matrix {
    return Matrix.wrap(y.data, y.rows * this.weighted.positions, this.#weight.rows);
  }

  #buffers(n: number): Buffers {
    if (this.#held?.n === n) return this.#held;
    const { rows: out, cols, dtype } = this.#weight;
    const { positions } = this.weighted;
    const patch = (): Matrix => Matrix.zeros(n * positions, cols, dtype);
    const outputs = (): Matrix => Matrix.zeros(n, positions * out, dtype);
    const inputGradient = Matrix.zeros(n, sizeOf(this.#geometry), dtype);
    return (this.#held = { n, patches: patch(), patchGradient: patch(), outputs: outputs(), tangent: outputs(), inputGradient });
  }
}
