/** Where the batches of a run come from: the form they have, and what fills them. */
import { Matrix, type Rows } from '../linalg/index.js';
import type { Stream } from '../random/index.js';
import type { Batch, Network, Task } from '../types.js';
import { Prefetch } from './prefetch.js';

export interface Batches {
  readonly batch: Batch<Rows>;
  /** Fills it with fresh samples. */
  readonly draw: (stream: Stream) => void;
}

/** Rows of the first weight of a network that takes inputs as factors; null for one that does not. */
export const factorWidth = ({ takesFactors, features }: Network): number | null => (takesFactors === true ? features.rows : null);

/** @param width  as factorWidth says */
export function batchesOf(task: Task, n: number, width: number | null): Batches {
  const coloured = width === null ? null : (task.colouredBatch?.(n, width) ?? null);
  if (coloured !== null) return { batch: coloured, draw: coloured.draw };
  const batch = { inputs: Matrix.zeros(n, task.inputs, task.dtype), targets: Matrix.zeros(n, task.targets, task.dtype) };
  return {
    batch,
    draw: (stream) => {
      task.sample(stream, batch);
    },
  };
}

/** The same, made by another thread from the first call on, wherever the stream stands then. */
export class PrefetchedBatches implements Batches {
  readonly batch: Batch<Rows>;
  readonly #task: Task;
  readonly #width: number | null;
  #prefetch: Prefetch | undefined;

  /** @throws OptionsError where another thread cannot make the task */
  constructor(task: Task, n: number, width: number | null) {
    Prefetch.requireOrigin(task);
    this.batch = batchesOf(task, n, width).batch;
    this.#task = task;
    this.#width = width;
  }

  readonly draw = (stream: Stream): void => {
    this.#prefetch ??= new Prefetch(this.#task, this.batch, this.#width, stream);
    this.#prefetch.take(this.batch, stream);
  };

  /** Lets the other thread go; a further draw begins another. */
  end(): void {
    this.#prefetch?.end();
    this.#prefetch = undefined;
  }
}
