/** The other side of prefetch.ts: makes the task, and batches into the slots for as long as they are taken. */
import { workerData } from 'node:worker_threads';
import { Stream } from '../random/index.js';
import type { Task } from '../types.js';
import { batchesOf } from './batches.js';
import { copyPieces, FAILED, FILLED, OVER, piecesOf, type PrefetchWork, SLOTS, slotOf, TAKEN } from './prefetch.js';

const { origin, n, width, from, slots, counters, errors } = workerData as PrefetchWork;
const counts = new Int32Array(counters);

try {
  const module = (await import(origin.module)) as Record<string, (options: object) => Task>;
  const { batch, draw } = batchesOf(module[origin.factory](origin.options), n, width);
  const stream = Stream.from(from);
  const views = slots.map((memory) => slotOf(memory, piecesOf(batch)));
  for (let filled = 0; Atomics.load(counts, OVER) === 0; filled++) {
    for (let taken = Atomics.load(counts, TAKEN); filled - taken >= SLOTS; taken = Atomics.load(counts, TAKEN))
      Atomics.wait(counts, TAKEN, taken);
    if (Atomics.load(counts, OVER) === 1) break;
    draw(stream);
    const { position, pieces } = views[filled % SLOTS];
    copyPieces(piecesOf(batch), pieces);
    position[0] = stream.state.position;
    Atomics.store(counts, FILLED, filled + 1);
    Atomics.notify(counts, FILLED);
  }
} catch (error) {
  errors.postMessage({ message: error instanceof Error ? error.message : String(error) });
  Atomics.store(counts, FILLED, FAILED);
  Atomics.notify(counts, FILLED);
}
