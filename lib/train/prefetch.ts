/**
 * Batches made on another core while this one trains: a worker thread makes the same task from its origin, draws from the same stream, and
 * stays up to two batches ahead. What is trained on, and where the stream stands after it, are those of a run without.
 *
 * Memory is shared by two slots, each with a batch's arrays one after another; a pair of counters says which are full. Native operations take
 * no shared memory, so both sides copy: of signs, a bit and two fifths of a byte an entry.
 */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort, type WorkerOptions } from 'node:worker_threads';
import { LayerwiseError, OptionsError } from '../errors.js';
import { ColouredRows, type Rows } from '../linalg/index.js';
import type { Stream, StreamState } from '../random/index.js';
import type { Batch, Task, TaskOrigin } from '../types.js';

export const SLOTS = 2;
/** Places in the shared counters: batches filled and taken so far, and whether the run is over. */
export const FILLED = 0;
export const TAKEN = 1;
export const OVER = 2;
/** In place of the batches filled: the worker has failed, and said why. */
export const FAILED = -1;

/** What the worker is given. */
export interface PrefetchWork {
  readonly origin: Omit<TaskOrigin, 'sample'>;
  readonly n: number;
  /** As `batchesOf` takes it. */
  readonly width: number | null;
  readonly from: StreamState;
  readonly slots: readonly SharedArrayBuffer[];
  readonly counters: SharedArrayBuffer;
  /** For what goes wrong. */
  readonly errors: MessagePort;
}

type Piece = Float64Array | Float32Array | Uint32Array | Uint8Array;

/** All that a batch is made of. */
export const piecesOf = ({ inputs, targets }: Batch<Rows>): readonly Piece[] => [
  ...(inputs instanceof ColouredRows ? inputs.arrays() : [inputs.data]),
  targets.data,
];

const ALIGNMENT = 8;
/** Bytes of a slot: the position of the stream after the batch, and the pieces. */
export const slotBytes = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { byteLength }) => sum + Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT, ALIGNMENT);

/** Views of a slot. */
export interface Slot {
  readonly position: Float64Array;
  readonly pieces: readonly Piece[];
}

export function slotOf(memory: SharedArrayBuffer, like: readonly Piece[]): Slot {
  let at = ALIGNMENT;
  const pieces = like.map((piece) => {
    const view = new (piece.constructor as new (buffer: SharedArrayBuffer, offset: number, length: number) => Piece)(
      memory,
      at,
      piece.length,
    );
    at += Math.ceil(piece.byteLength / ALIGNMENT) * ALIGNMENT;
    return view;
  });
  return { position: new Float64Array(memory, 0, 1), pieces };
}

/** Copies pieces into those of another batch, or of a slot. */
export function copyPieces(from: readonly Piece[], to: readonly Piece[]): void {
  from.forEach((piece, i) => {
    to[i].set(piece);
  });
}

/** How long to wait for a batch: the worker cannot tell of an end that it did not see coming. */
const PATIENCE = 60_000;

/** The compiled worker; or, where the sources run as they are (tests), the source through tsx, which a worker has to register itself. */
function started(options: WorkerOptions): Worker {
  const at = (name: string): URL => new URL(name, import.meta.url);
  if (!import.meta.url.endsWith('.ts')) return new Worker(at('./prefetchWorker.js'), options);
  const url = JSON.stringify(at('./prefetchWorker.ts').href);
  const program = `import('tsx/esm/api').then(({ register }) => (register(), import(${url})))`;
  return new Worker(program, { ...options, eval: true, execArgv: [] });
}

export class Prefetch {
  readonly #worker: Worker;
  readonly #counters: Int32Array;
  readonly #slots: readonly Slot[];
  readonly #errors: MessagePort;
  #failure: LayerwiseError | undefined;

  /** @throws OptionsError for a task that another thread cannot make */
  static requireOrigin(task: Task): void {
    const { name, origin } = task;
    if (origin?.sample === task.sample) return;
    const message = `needs a task that another thread can make from plain options (its origin), and ${name} is none; leave prefetch out`;
    throw new OptionsError('train', [{ path: 'prefetch', value: 'true', message }]);
  }

  /** @param batch  as the worker's own will be; @param stream  where drawing begins */
  constructor({ origin }: Task, batch: Batch<Rows>, width: number | null, stream: Stream) {
    const { module, factory, options } = origin!;
    const like = piecesOf(batch);
    const slots = Array.from({ length: SLOTS }, () => new SharedArrayBuffer(slotBytes(like)));
    const counters = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
    const { port1, port2 } = new MessageChannel();
    const work: PrefetchWork = {
      origin: { module, factory, options },
      n: batch.inputs.rows,
      width: batch.inputs instanceof ColouredRows ? width : null,
      from: stream.state,
      slots,
      counters,
      errors: port2,
    };
    this.#worker = started({ workerData: work, transferList: [port2] });
    this.#worker.unref(); // a run that nobody ends must not keep the process
    this.#worker.on('error', () => undefined); // told where a batch is waited for
    this.#errors = port1;
    this.#errors.unref();
    this.#counters = new Int32Array(counters);
    this.#slots = slots.map((memory) => slotOf(memory, like));
  }

  /** Fills the batch with the next samples, and moves the stream on.
   *  @throws LayerwiseError when the worker has failed */
  take(batch: Batch<Rows>, stream: Stream): void {
    const taken = Atomics.load(this.#counters, TAKEN);
    const answer = Atomics.wait(this.#counters, FILLED, taken, PATIENCE); // at once where there is a batch
    if (answer === 'timed-out') throw failure(`has not answered for ${PATIENCE / 1000} s; train without prefetch`);
    if (Atomics.load(this.#counters, FILLED) === FAILED) throw (this.#failure ??= this.#told());
    const { position, pieces } = this.#slots[taken % SLOTS];
    if (batch.inputs instanceof ColouredRows) batch.inputs.refill(() => undefined);
    copyPieces(pieces, piecesOf(batch));
    stream.seek(position[0]);
    Atomics.store(this.#counters, TAKEN, taken + 1);
    Atomics.notify(this.#counters, TAKEN);
  }

  /** Lets the worker go. */
  end(): void {
    Atomics.store(this.#counters, OVER, 1);
    Atomics.add(this.#counters, TAKEN, SLOTS); // whatever it waits for has come
    Atomics.notify(this.#counters, TAKEN);
    void this.#worker.terminate();
  }

  #told(): LayerwiseError {
    const told = receiveMessageOnPort(this.#errors) as { message: { message: string } } | undefined;
    return failure(`failed: ${told?.message.message ?? 'it does not say why'}`);
  }
}

const failure = (what: string): LayerwiseError => new LayerwiseError('ERR_PREFETCH', `prefetch: the thread that makes the batches ${what}`);
