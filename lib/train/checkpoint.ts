/** A training run frozen between two steps: every number of its state, bit for bit, as one .npz file that numpy also reads. */
import { ArgumentError } from '../errors.js';
import { Matrix, readNpz, writeNpz } from '../linalg/index.js';

/** Arrays by path ('params/G', 'optimizer/velocity/0') and a few words about the run. */
export interface Checkpoint {
  readonly arrays: Readonly<Record<string, Matrix>>;
  readonly about: Readonly<Record<string, string | number>>;
}

const ABOUT = 'about.json';

export function encodeCheckpoint({ arrays, about }: Checkpoint): Uint8Array {
  return writeNpz(arrays, { [ABOUT]: JSON.stringify(about) });
}

/** @throws ArgumentError when the bytes are not a checkpoint */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { arrays, text } = readNpz(bytes);
  if (text[ABOUT] === undefined) throw new ArgumentError('not a checkpoint: about.json is missing');
  return { arrays, about: JSON.parse(text[ABOUT]) as Checkpoint['about'] };
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

/** Puts the numbers back into a tree of the same structure, in place.
 *  @throws ArgumentError when an array is missing or of another shape: the checkpoint is of another configuration */
export function restore(tree: unknown, path: string, from: Readonly<Record<string, Matrix>>): void {
  if (tree instanceof Matrix) tree.data.set(stored(path, from, tree.rows, tree.cols).data);
  else if (tree instanceof Float64Array || tree instanceof Float32Array) tree.set(stored(path, from, 1, tree.length).data);
  else if (typeof tree === 'object' && tree !== null)
    for (const [key, value] of Object.entries(tree)) {
      if (key === SCRATCH) continue;
      const inner = `${path}/${key}`;
      if (typeof value === 'number') (tree as Record<string, unknown>)[key] = stored(inner, from, 1, 1).data[0];
      else restore(value, inner, from);
    }
}

function stored(path: string, from: Readonly<Record<string, Matrix>>, rows: number, cols: number): Matrix {
  const m = from[path];
  if (m?.rows !== rows || m.cols !== cols)
    throw new ArgumentError(
      `the checkpoint does not fit this run: ${path} should be ${rows} x ${cols}, ${m === undefined ? 'it is missing' : `it is ${m.rows} x ${m.cols}`}`,
    );
  return m;
}
