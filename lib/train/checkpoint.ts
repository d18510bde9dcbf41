/** A training run frozen between two steps: every number of its state, bit for bit, as one .npz file that numpy also reads. */
import { createHash } from 'node:crypto';
import { ArgumentError } from '../errors.js';
import { Matrix, readNpz, writeNpz, type Dtype } from '../linalg/index.js';
import type { OptimizerState } from '../types.js';

/** Arrays by path ('params/G', 'optimizer/velocity/0') and a few words about the run. */
export interface Checkpoint {
  readonly arrays: Readonly<Record<string, Matrix>>;
  readonly about: Readonly<Record<string, string | number>>;
}

const ABOUT = 'about.json';
const DIGEST = 'sha256';

export function encodeCheckpoint({ arrays, about }: Checkpoint): Uint8Array {
  return writeNpz(arrays, { [ABOUT]: JSON.stringify({ ...about, [DIGEST]: digestOf({ arrays, about }) }) });
}

/** sha256 over the words, and over names, shapes and bytes of the arrays: zip readers seldom check their own sums, and a flipped bit
 *  would go on as a number, or turn one word into another. */
function digestOf({ arrays, about }: Checkpoint): string {
  const hash = createHash('sha256').update(`${JSON.stringify(about)}\n`);
  for (const name of Object.keys(arrays).sort()) {
    const { rows, cols, dtype, data } = arrays[name];
    hash.update(`${name} ${rows} ${cols} ${dtype}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** @throws ArgumentError when the bytes are not a checkpoint, or not as they were written */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { arrays, text } = readNpz(bytes);
  let about: unknown;
  try {
    about = JSON.parse(text[ABOUT] ?? 'null');
  } catch (cause) {
    throw new ArgumentError(`not a checkpoint: its ${ABOUT} cannot be read`, { cause });
  }
  if (typeof about !== 'object' || about === null) throw new ArgumentError(`not a checkpoint: it has no ${ABOUT}`);
  const { [DIGEST]: digest, ...rest } = about as Record<string, string | number>;
  if (digest !== digestOf({ arrays, about: rest }))
    throw new ArgumentError('the checkpoint is damaged: its numbers or words are not those that were written');
  return { arrays, about: rest };
}

/** An optimiser's state as a .npz file, for loops of one's own: factors, stale inverses, moments and counters. */
export function encodeState(state: OptimizerState): Uint8Array {
  const arrays: Record<string, Matrix> = {};
  flatten(state, 'state', arrays);
  return encodeCheckpoint({ arrays, about: {} });
}

/** Puts a saved state into one that `init` made for the same parameters; nothing is changed unless all of it fits.
 *  @throws ArgumentError when the bytes are not a saved state, or one of other options or parameters */
export function restoreState(state: OptimizerState, bytes: Uint8Array): void {
  const { arrays } = decodeCheckpoint(bytes);
  requireFit(state, 'state', arrays);
  requireNothingElse(state, 'state', arrays);
  restore(state, 'state', arrays);
}

/** Fields of a state object that are scratch space and not state. */
const SCRATCH = 'work';

/** Collects every number in a tree of objects and arrays into matrices, by path; scratch is left out. */
export function flatten(tree: unknown, path: string, into: Record<string, Matrix>): void {
  if (tree instanceof Matrix) into[path] = tree.clone();
  else if (tree instanceof Float64Array || tree instanceof Float32Array) into[path] = Matrix.wrap(tree.slice(), 1, tree.length);
  else if (typeof tree === 'number') into[path] = Matrix.from([[tree]]);
  else if (typeof tree === 'object' && tree !== null)
    for (const [key, value] of Object.entries(tree)) if (key !== SCRATCH) flatten(value, `${path}/${key}`, into);
}

/** Puts the numbers back into a tree of the same structure, in place. Call requireFit first. */
export function restore(tree: unknown, path: string, from: Readonly<Record<string, Matrix>>): void {
  visit(tree, path, from, true);
}

/** @throws ArgumentError when there are arrays under the path that the tree has no place for: options were others */
export function requireNothingElse(tree: unknown, path: string, from: Readonly<Record<string, Matrix>>): void {
  const known: Record<string, Matrix> = {};
  flatten(tree, path, known);
  const extra = Object.keys(from).find((name) => name.startsWith(`${path}/`) && !(name in known));
  if (extra !== undefined) throw new ArgumentError(`the checkpoint does not fit: it has ${extra}, for which there is no place here`);
}

/** @throws ArgumentError when an array is missing or of another shape or dtype: the checkpoint is of another configuration */
export function requireFit(tree: unknown, path: string, from: Readonly<Record<string, Matrix>>): void {
  visit(tree, path, from, false);
}

function visit(tree: unknown, path: string, from: Readonly<Record<string, Matrix>>, write: boolean): void {
  if (tree instanceof Matrix) {
    const { data } = stored(path, from, tree.rows, tree.cols, tree.dtype);
    if (write) tree.data.set(data);
  } else if (tree instanceof Float64Array || tree instanceof Float32Array) {
    const { data } = stored(path, from, 1, tree.length, tree instanceof Float64Array ? 'float64' : 'float32');
    if (write) tree.set(data);
  } else if (typeof tree === 'object' && tree !== null)
    for (const [key, value] of Object.entries(tree)) {
      if (key === SCRATCH) continue;
      const inner = `${path}/${key}`;
      if (typeof value !== 'number') visit(value, inner, from, write);
      else {
        const [number] = stored(inner, from, 1, 1, 'float64').data;
        if (write) (tree as Record<string, unknown>)[key] = number;
      }
    }
}

function stored(path: string, from: Readonly<Record<string, Matrix>>, rows: number, cols: number, dtype: Dtype): Matrix {
  const m = from[path];
  if (m?.rows !== rows || m.cols !== cols || m.dtype !== dtype)
    throw new ArgumentError(
      `the checkpoint does not fit: ${path} should be ${rows} x ${cols} of ${dtype}, ${m === undefined ? 'it is missing' : `it is ${m.rows} x ${m.cols} of ${m.dtype}`}`,
    );
  return m;
}
