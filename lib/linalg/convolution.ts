/**
 * Convolution as a matrix product: the patches that a kernel sees, and the adjoint. Images are rows of height x width x channels numbers,
 * channels last: entry (y, x, ch) is at (y width + x) channels + ch.
 */
import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape } from './matrix.js';

/** An image and a kernel that slides over it, with one stride and one padding by zeros for both axes. */
export interface ConvolutionShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  /** Rows and columns of zeros on each side. */
  readonly padding: number;
}

/** How often the kernel fits along each axis: floor((height + 2 padding - kernelHeight) / stride) + 1, and the same of the widths.
 *  @throws ArgumentError when a size is not a whole number of at least 1 (padding: 0), or the kernel does not fit even once */
export function convolutionOutput(shape: ConvolutionShape): { height: number; width: number } {
  checkShape('convolutionOutput', shape);
  return { height: outputHeight(shape), width: outputWidth(shape) };
}

/** out = the patches of the images (im2col), so that convolution is a product of patches and kernel.
 *  @param images  n x (height width channels)
 *  @param out     n (output height) (output width) x kernelHeight kernelWidth channels, written; a patch's order is (ky, kx, channel),
 *                 the patches' order is (image, y, x)
 *  @returns out
 *  @throws ArgumentError when the shapes do not fit, dtypes differ, or out shares memory with images
 *  Source: Chellapilla, Puri & Simard 2006, section 3.1 */
export function unfold(images: Matrix, shape: ConvolutionShape, out: Matrix): Matrix {
  checkShape('unfold', shape);
  requireImages('unfold', 'images', images, images.rows, shape);
  requirePatches('unfold', 'out', out, images.rows, shape);
  requireSameDtype('unfold', images, out);
  requireDistinct('unfold', out, images);
  native.unfold(shapeInts(images.rows, shape), images.data, out.data);
  return out;
}

/** The adjoint of unfold (col2im): each entry of an image is the sum of its copies in the patches.
 *  @param patches  n (output height) (output width) x kernelHeight kernelWidth channels
 *  @param out      n x (height width channels), overwritten
 *  @returns out
 *  @throws ArgumentError when the shapes do not fit, dtypes differ, or out shares memory with patches */
export function fold(patches: Matrix, shape: ConvolutionShape, out: Matrix): Matrix {
  checkShape('fold', shape);
  requireImages('fold', 'out', out, out.rows, shape);
  requirePatches('fold', 'patches', patches, out.rows, shape);
  requireSameDtype('fold', patches, out);
  requireDistinct('fold', out, patches);
  native.fold(shapeInts(out.rows, shape), patches.data, out.data);
  return out;
}

// ---- Shared with pooling; `op` opens every message. ----

export function checkShape(op: string, s: ConvolutionShape): void {
  requireWhole(op, 'height', s.height, 1);
  requireWhole(op, 'width', s.width, 1);
  requireWhole(op, 'channels', s.channels, 1);
  requireWhole(op, 'kernelHeight', s.kernelHeight, 1);
  requireWhole(op, 'kernelWidth', s.kernelWidth, 1);
  requireWhole(op, 'stride', s.stride, 1);
  requireWhole(op, 'padding', s.padding, 0);
  if (outputHeight(s) < 1 || outputWidth(s) < 1)
    throw new ArgumentError(
      `${op}: a kernel of ${s.kernelHeight} x ${s.kernelWidth} does not fit into an image of ${s.height} x ${s.width} padded by ${s.padding}`,
    );
}

function requireWhole(op: string, what: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value < 2 ** 31))
    throw new ArgumentError(`${op}: shape.${what} must be an integer in [${least}, 2^31), got ${value}`);
}

export const outputHeight = (s: ConvolutionShape): number => Math.floor((s.height + 2 * s.padding - s.kernelHeight) / s.stride) + 1;
export const outputWidth = (s: ConvolutionShape): number => Math.floor((s.width + 2 * s.padding - s.kernelWidth) / s.stride) + 1;

export function requireImages(op: string, what: string, m: Matrix, n: number, s: ConvolutionShape): void {
  requireShape(op, what, m, n, s.height * s.width * s.channels);
}

function requirePatches(op: string, what: string, m: Matrix, n: number, s: ConvolutionShape): void {
  requireShape(op, what, m, n * outputHeight(s) * outputWidth(s), s.kernelHeight * s.kernelWidth * s.channels);
}

const ints = new Int32Array(8);

export function shapeInts(n: number, s: ConvolutionShape): Int32Array {
  ints[0] = n;
  ints[1] = s.height;
  ints[2] = s.width;
  ints[3] = s.channels;
  ints[4] = s.kernelHeight;
  ints[5] = s.kernelWidth;
  ints[6] = s.stride;
  ints[7] = s.padding;
  return ints;
}
