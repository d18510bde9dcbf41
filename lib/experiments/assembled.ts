import type { TrainOptions } from '../train/index.js';

/** What an experiment makes of a configuration: all that `train` needs. */
export interface Assembled extends TrainOptions {
  /** Steps a pass over the data takes, where data are finite; it need not be whole. */
  readonly epoch?: number;
}
