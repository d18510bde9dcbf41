import { describe, expect, it } from 'vitest';
import { finalValue, search, type Objective } from '../../lib/studies/tuning.js';
import type { Trial } from '../../lib/sweep/index.js';

const SEEDS = [5, 6];
const objective: Objective = (record) => finalValue(record, 'distance');
const trialAt = (rate: number, seed: number): Trial => ({ id: `${rate}/${seed}`, config: {} as Trial['config'] });

/** Looks records up in a function of the rate: what a run with it would have ended at. */
const lookupOf = (error: (rate: number, seed: number) => number) => (t: Trial) => {
  const [rate, seed] = t.id.split('/').map(Number);
  const value = error(rate, seed);
  return { status: Number.isFinite(value) ? 'done' : 'diverged', metrics: { distance: { steps: [1], values: [value] } } } as never;
};

describe('search', () => {
  const options = { grid: [0.1, 0.3, 1], seeds: SEEDS, trialAt };

  it('asks for the grid on every seed while it has not run', () => {
    const state = search(options, objective, () => undefined);
    expect(state.best).toBeUndefined();
    expect(state.trials).toHaveLength(6);
  });

  it('chooses the best mean over the seeds', () => {
    const state = search(
      options,
      objective,
      lookupOf((rate, seed) => Math.abs(Math.log(rate / 0.3)) + 0.1 * (seed - 5)),
    );
    expect(state.best).toEqual({ learningRate: 0.3, objective: 0.05 });
  });

  it('counts a run that diverged on one seed as infinitely bad', () => {
    const error = (rate: number, seed: number): number => (rate === 0.3 ? (seed === 6 ? NaN : 0) : 1 + Math.abs(Math.log(rate / 0.1)));
    const state = search(options, objective, lookupOf(error));
    expect(state.best).toEqual({ learningRate: 0.1, objective: 1 });
    expect(state).toMatchObject({ atEdge: false }); // extended below, where it is worse
  });

  it('extends the grid beyond a winner at its edge, four times at most, and then says so', () => {
    const up = search(
      options,
      objective,
      lookupOf((rate) => 1 / rate),
    );
    expect(up.best?.learningRate).toBe(120);
    expect(up).toMatchObject({ atEdge: true });
    const inside = search(
      options,
      objective,
      lookupOf((rate) => Math.abs(Math.log(rate / 3))),
    );
    expect(inside.best?.learningRate).toBe(3.3);
    expect(inside).toMatchObject({ atEdge: false });
  });
});
