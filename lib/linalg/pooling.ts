/**
 * Pooling over windows of an image, channel by channel. Images are rows of height x width x channels numbers, channels last, as in
 * convolution.ts; windows lie within the image (padding 0), and what does not fill one at the end is left out.
 */
import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type ConvolutionShape, checkShape, outputHeight, outputWidth, requireImages, shapeInts } from './convolution.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape } from './matrix.js';

/** The largest entry of each window and channel; NaN counts as the largest, and the first of equals is taken.
 *  @param images  n x (height width channels)
 *  @param out     n x (output height, output width, channels), written
 *  @param chosen  as many entries as out, written: where in the image's row each came from
 *  @returns out
 *  @throws ArgumentError when the shapes do not fit, there is padding, dtypes differ, or out shares memory with images */
export function maxPool(images: Matrix, shape: ConvolutionShape, out: Matrix, chosen: Int32Array): Matrix {
  requirePooling('maxPool', 'images', images, 'out', out, shape);
  requireChosen('maxPool', chosen, out);
  requireDistinct('maxPool', out, images);
  native.maxPool(shapeInts(images.rows, shape), images.data, out.data, chosen);
  return out;
}

/** Adds each entry of dy to dx where its maximum came from.
 *  @param dy      n x (output height, output width, channels)
 *  @param chosen  of maxPool
 *  @param dx      n x (height width channels), overwritten
 *  @returns dx
 *  @throws ArgumentError when the shapes do not fit, there is padding, dtypes differ, or dx shares memory with dy */
export function maxPoolBackward(dy: Matrix, chosen: Int32Array, shape: ConvolutionShape, dx: Matrix): Matrix {
  requirePooling('maxPoolBackward', 'dx', dx, 'dy', dy, shape);
  requireChosen('maxPoolBackward', chosen, dy);
  requireDistinct('maxPoolBackward', dx, dy);
  native.maxPoolBackward(shapeInts(dx.rows, shape), dy.data, chosen, dx.data);
  return dx;
}

/** The mean of each window and channel.
 *  @param images  n x (height width channels)
 *  @param out     n x (output height, output width, channels), written
 *  @returns out
 *  @throws ArgumentError when the shapes do not fit, there is padding, dtypes differ, or out shares memory with images */
export function averagePool(images: Matrix, shape: ConvolutionShape, out: Matrix): Matrix {
  requirePooling('averagePool', 'images', images, 'out', out, shape);
  requireDistinct('averagePool', out, images);
  native.averagePool(shapeInts(images.rows, shape), images.data, out.data);
  return out;
}

/** The adjoint of averagePool: each entry of dy is spread evenly over its window.
 *  @param dy  n x (output height, output width, channels)
 *  @param dx  n x (height width channels), overwritten
 *  @returns dx
 *  @throws ArgumentError when the shapes do not fit, there is padding, dtypes differ, or dx shares memory with dy */
export function averagePoolBackward(dy: Matrix, shape: ConvolutionShape, dx: Matrix): Matrix {
  requirePooling('averagePoolBackward', 'dx', dx, 'dy', dy, shape);
  requireDistinct('averagePoolBackward', dx, dy);
  native.averagePoolBackward(shapeInts(dx.rows, shape), dy.data, dx.data);
  return dx;
}

function requirePooling(op: string, what: string, images: Matrix, whatPooled: string, pooled: Matrix, shape: ConvolutionShape): void {
  checkShape(op, shape);
  if (shape.padding !== 0) throw new ArgumentError(`${op}: shape.padding must be 0, got ${shape.padding}`);
  requireImages(op, what, images, images.rows, shape);
  requireShape(op, whatPooled, pooled, images.rows, outputHeight(shape) * outputWidth(shape) * shape.channels);
  requireSameDtype(op, images, pooled);
}

function requireChosen(op: string, chosen: Int32Array, pooled: Matrix): void {
  if (!(chosen instanceof Int32Array && chosen.length === pooled.data.length))
    throw new ArgumentError(`${op}: chosen must be an Int32Array of ${pooled.data.length} entries`);
}
