/** Types follow the experiment's own configuration: `npm test` compiles this file. */
import { expect, expectTypeOf, it } from 'vitest';
import { sweep, type SweepSpec } from '../../lib/index.js';

const never = (): boolean => process.env['NEVER'] === 'true';

it('specifications are typed by their experiment, and so are the results', () => {
  const ok: SweepSpec<'alignment'> = { experiment: 'alignment', base: { dimension: 100, teacher: 'tanh' }, axes: { samples: [50, 100] } };
  // @ts-expect-error -- alignment has no task
  const wrongKey: SweepSpec<'alignment'> = { experiment: 'alignment', base: { task: {} } };
  // @ts-expect-error -- a number
  const wrongValue: SweepSpec<'linear-representation'> = { base: { task: { inputs: 'many' } } };
  // @ts-expect-error -- the seed is none of the base
  const seed: SweepSpec<'linear-representation'> = { base: { seed: 1 } };
  // @ts-expect-error -- there is no such experiment
  const unknown: SweepSpec<'none'> = {};
  expect([ok, wrongKey, wrongValue, seed, unknown]).toHaveLength(5);
  if (never()) {
    const run = sweep({ experiment: 'alignment' }, { store: 'nowhere' });
    void (async () => {
      for await (const { config, record } of run) {
        expectTypeOf(config.dimension).toEqualTypeOf<number>();
        expectTypeOf(record!.config.lambdas).toEqualTypeOf<number[]>();
      }
    });
    const other = sweep({ base: { transferSamples: 3 } }, { store: 'nowhere' });
    void (async () => {
      for await (const { config } of other) expectTypeOf(config.task.rank).toEqualTypeOf<number>();
    });
  }
});
