/** numpy's file formats: .npy (one array) and .npz (a zip of named arrays). Source: numpy.lib.format, version 1.0. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { ArgumentError } from '../errors.js';
import { Matrix } from './matrix.js';

const MAGIC = '\x93NUMPY';

/** Bytes of a .npy file: a C-order, little-endian array of shape (rows, cols). */
export function writeNpy(m: Matrix): Uint8Array {
  const descr = m.dtype === 'float64' ? '<f8' : '<f4';
  let header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${m.rows}, ${m.cols}), }`;
  header = header.padEnd(Math.ceil((MAGIC.length + 4 + header.length + 1) / 64) * 64 - MAGIC.length - 4 - 1) + '\n';
  const body = new Uint8Array(m.data.buffer, m.data.byteOffset, m.data.byteLength);
  const bytes = new Uint8Array(MAGIC.length + 4 + header.length + body.length);
  bytes.set(Uint8Array.from(MAGIC, (c) => c.charCodeAt(0)));
  bytes.set([1, 0, header.length & 255, header.length >> 8], MAGIC.length);
  bytes.set(strToU8(header, true), MAGIC.length + 4);
  bytes.set(body, MAGIC.length + 4 + header.length);
  return bytes;
}

/** The matrix in a .npy file of one or two dimensions (one dimension reads as a column).
 *  @throws ArgumentError when the bytes are not such a file */
export function readNpy(bytes: Uint8Array): Matrix {
  if (bytes.length < (bytes[6] >= 2 ? 12 : 10) || strFromU8(bytes.subarray(0, 6), true) !== MAGIC)
    throw new ArgumentError('readNpy: not a .npy file (its first bytes are not \\x93NUMPY)');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = strFromU8(bytes.subarray(start, start + length), true);
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map(Number);
  if (descr !== '<f8' && descr !== '<f4')
    throw new ArgumentError(`readNpy: arrays of ${descr ?? 'unknown'} are not read; save as float64 or float32`);
  if (shape === undefined || shape.length < 1 || shape.length > 2)
    throw new ArgumentError('readNpy: only arrays of one or two dimensions are read');
  if (header.includes("'fortran_order': True") && shape.length === 2)
    throw new ArgumentError('readNpy: the array is in Fortran order; save numpy.ascontiguousarray(a)');
  const [rows, cols] = [shape[0], shape[1] ?? 1];
  const dtype = descr === '<f8' ? 'float64' : 'float32';
  const body = bytes.subarray(start + length);
  const needed = rows * cols * (dtype === 'float64' ? 8 : 4);
  if (body.length !== needed)
    throw new ArgumentError(`readNpy: ${rows} x ${cols} ${dtype} needs ${needed} bytes, the file holds ${body.length}`);
  const m = Matrix.zeros(rows, cols, dtype);
  new Uint8Array(m.data.buffer).set(body);
  return m;
}

/** Bytes of a .npz file, uncompressed, its entries dated 1980 so that equal content gives equal bytes. `text` entries are stored
 *  beside the arrays under their own names. */
export function writeNpz(arrays: Readonly<Record<string, Matrix>>, text: Readonly<Record<string, string>> = {}): Uint8Array {
  const entries: Record<string, Uint8Array> = {};
  for (const [name, m] of Object.entries(arrays)) entries[`${name}.npy`] = writeNpy(m);
  for (const [name, content] of Object.entries(text)) entries[name] = strToU8(content);
  return zipSync(entries, { level: 0, mtime: new Date(1980, 0, 1) });
}

/** Arrays and text entries of a .npz file. @throws ArgumentError when the bytes are not a zip or an entry is not a .npy */
export function readNpz(bytes: Uint8Array): { arrays: Record<string, Matrix>; text: Record<string, string> } {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch (cause) {
    throw new ArgumentError('readNpz: not a complete .npz file', { cause });
  }
  const arrays: Record<string, Matrix> = {};
  const text: Record<string, string> = {};
  for (const [name, content] of Object.entries(entries)) {
    if (name.endsWith('.npy')) arrays[name.slice(0, -4)] = readNpy(content);
    else text[name] = strFromU8(content);
  }
  return { arrays, text };
}
