/**
 * Our contender of scripts/bench/step.ts, through the public API.
 *
 *   node --import tsx scripts/bench/ours.ts
 *
 * Answers (serve.ts) with the last subspace distance.
 */
import { training, type Method } from './problem.js';
import { once, serve } from './serve.js';

const UNBOUNDED = 2 ** 31 - 1;

await serve(
  once((method) => {
    const run = training(method as Method, UNBOUNDED, 1);
    return {
      advance(count) {
        run.advance(count);
        if (run.finished) throw new Error(`${method}: ${run.record().reason ?? 'ended early'}`);
        return run.record().metrics['distance'].values.at(-1)!;
      },
    };
  }),
  'distance',
);
