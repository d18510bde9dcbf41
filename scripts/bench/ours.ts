/**
 * Our contender of scripts/bench/step.ts, through the public API.
 *
 *   node --import tsx scripts/bench/ours.ts
 *
 * Answers (serve.ts) questions METHOD:SIZE:DTYPE with the last subspace distance.
 */
import { parseQuestion, training } from './problem.js';
import { once, serve } from './serve.js';

const UNBOUNDED = 2 ** 31 - 1;

await serve(
  once((question) => {
    const run = training(parseQuestion(question), UNBOUNDED, 1);
    return {
      advance(count) {
        run.advance(count);
        if (run.finished) throw new Error(`${question}: ${run.record().reason ?? 'ended early'}`);
        return run.record().metrics['distance'].values.at(-1)!;
      },
    };
  }),
  'distance',
);
