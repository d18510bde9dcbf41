/** What trials leave at the rungs where they wait, a folder a trial and a file a rung: one that is run again repeats every rung it has
 *  come to, and takes no step twice. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '../../files.js';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../../train/index.js';

export interface CheckpointFolder {
  readonly folder: string;
  /** Every rung at which a trial may have left one. */
  readonly steps: readonly number[];
}

export class Checkpoints {
  readonly #place: CheckpointFolder;
  readonly #id: string;

  /** @param id  identity of the trial */
  constructor(place: CheckpointFolder, id: string) {
    this.#place = place;
    this.#id = id;
  }

  /** The last one at or before a step; undefined where there is none. One that is damaged is none. */
  upTo(step: number): Checkpoint | undefined {
    for (const at of this.#place.steps.filter((s) => s <= step).sort((a, b) => b - a)) {
      const path = this.#at(at);
      if (!existsSync(path)) continue;
      try {
        return decodeCheckpoint(readFileSync(path));
      } catch {
        rmSync(path, { force: true });
      }
    }
    return undefined;
  }

  leave(step: number, checkpoint: Checkpoint): void {
    makeFolder(join(this.#place.folder, this.#id));
    writeFileAtomic(this.#at(step), encodeCheckpoint(checkpoint));
  }

  /** Of a trial that has come to its end. */
  remove(): void {
    rmSync(join(this.#place.folder, this.#id), { recursive: true, force: true });
  }

  #at(step: number): string {
    return join(this.#place.folder, this.#id, `${step}.npz`);
  }
}
