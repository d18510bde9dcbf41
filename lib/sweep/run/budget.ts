/** Trials, seconds, and seconds of trials that a command may take. */
import type { Spec } from '../spec/schema.js';

/** What one command may spend, over all its stages. */
export class Budget {
  readonly #most: Spec['budget'];
  readonly #began = performance.now();
  /** Handed out. */
  trials = 0;
  /** Of all trials together. */
  trialSeconds = 0;

  constructor(most: Spec['budget']) {
    this.#most = most;
  }

  /** No trial may begin. */
  get spent(): boolean {
    return this.overtime || this.trials >= (this.#most.trials ?? Infinity);
  }

  /** Nor may one that waits go on. */
  get overtime(): boolean {
    const { trialSeconds = Infinity, seconds = Infinity } = this.#most;
    return this.trialSeconds >= trialSeconds || (performance.now() - this.#began) / 1000 >= seconds;
  }
}
