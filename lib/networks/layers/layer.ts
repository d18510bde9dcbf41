/** What a layer of a network does. Batches are n x width; images are rows of height x width x channels, channels last. */
import type { Matrix, Rows } from '../../linalg/index.js';
import type { Parameter } from '../../types.js';

/** Of one sample. Vectors are 1 x 1 images with `channels` entries. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export const sizeOf = ({ height, width, channels }: Shape): number => height * width * channels;
export const isFlat = ({ height, width }: Shape): boolean => height === 1 && width === 1;
export const flat = (channels: number): Shape => ({ height: 1, width: 1, channels });

export type OwnParameter = Pick<Parameter, 'name' | 'value' | 'role'>;

/** How a pass backwards treats statistics taken over the batch: as functions of the inputs, or as the numbers they are. */
export type BatchStatistics = 'differentiated' | 'fixed';

export interface Layer {
  /** Of its outputs. */
  readonly shape: Shape;
  readonly parameters: readonly OwnParameter[];
  /** One a parameter, of its shape: where the network's gradients go. */
  readonly gradients: readonly Matrix[];
  /** In training mode. @param x  n x inputs, kept for the backward pass; factors only for a layer that takes them
   *  @returns n x outputs, held */
  forward(x: Rows, fresh: boolean): Matrix;
  /** Whether `forward` takes inputs that are not multiplied out. */
  readonly takesFactors?: boolean;
  /**
   * Gradient in the inputs of the last forward pass from that in the outputs.
   * @param dy         n x outputs; a layer without weights may overwrite it and return it
   * @param gradients  where the parameters' gradients go; null where they are not wanted
   * @param input      whether the gradient in the inputs is wanted
   * @returns          n x inputs, held; null where it was not wanted
   */
  backward(dy: Matrix, gradients: readonly Matrix[] | null, input: boolean, statistics: BatchStatistics): Matrix | null;
  /** Derivative of the outputs in a direction: of the inputs (null: they stay) and of the parameters. @returns n x outputs, held */
  tangent(dx: Matrix | null, directions: readonly Matrix[]): Matrix | null;
  /** In evaluation mode, for any number of rows. @returns new, or x itself */
  predict(x: Matrix): Matrix;
  /** predict of the identity matrix, inputs x outputs, without forming it. */
  predictAxes?(): Matrix;
  /** Whether it is an affine map in evaluation mode. */
  readonly affine: boolean;
  /** Whether it mixes the samples of a batch in training. */
  readonly mixesSamples: boolean;
  /** State beside the parameters, for checkpoints. */
  readonly state: Readonly<Record<string, Matrix>>;

  // ---- For the statistics of layer-wise methods. ----

  /** Only for layers with a weight, their first parameter. */
  readonly weighted?: Weighted;
  /** root A where the layer is x -> x A' for each sample alike, in training with its statistics fixed: r x outputs to r x inputs, a held
   *  buffer, or the root itself. */
  rootTimes?(root: Matrix): Matrix;
  /** rootTimes acts on each column by itself. */
  readonly columnwise?: boolean;
  /** n x outputs: the derivative of an entry-wise layer at the last forward pass. */
  readonly derivative?: Matrix;
  /** Row i of `into`, from column `offset` on: the gradients of its parameters at sample i alone, for the gradient dy_i in its outputs. */
  sampleGradients?(dy: Matrix, into: Matrix, offset: number): void;
}

/** A layer that multiplies its inputs, or patches of them, by a weight. */
export interface Weighted {
  /** Rows a sample has in `inputs`. */
  readonly positions: number;
  /** (n positions) x in, of the last forward pass. */
  readonly inputs: Rows;
}
