/** fig-batchnorm, fig-batch-size, fig-combined and fig-deep on invented records. */
import { describe, expect, it } from 'vitest';
import { renderSvg } from '../../lib/figures/index.js';
import { forecastStudies, studies } from '../../lib/studies/index.js';
import type { Store, Trial } from '../../lib/sweep/index.js';
import { analysed, conditionOf, configOf, every, kindOf, recordOf, verdictsOf, wobble, type RunConfig } from './worlds.js';

/** Ends at these values, coming down from 1. */
const world = (end: (config: RunConfig) => Readonly<Record<string, number>>) => (t: Trial) => {
  const config = configOf(t);
  const steps = every(config.train.every, config.train.steps);
  const curves = Object.entries(end(config)).map(
    ([name, final]) => [name, (s: number) => (final * wobble(config.seed)) ** (s / steps.at(-1)!)] as const,
  );
  return recordOf(t, steps, Object.fromEntries(curves));
};
const atRate = ({ optimizer }: RunConfig): number => 1 + 0.2 * Math.abs(Math.log(Number(optimizer['learningRate'] ?? 0.01)));

describe('fig-batchnorm', () => {
  const study = studies['fig-batchnorm'];
  const ends = (hurts: boolean) => (c: RunConfig) => {
    const layerwise = kindOf(c).endsWith('layerwise');
    const distance = (layerwise && kindOf(c) === 'layerwise' ? 0.02 : 0.2) * atRate(c);
    return { loss: 0.1, distance, transfer: c.network.batchNorm === hurts ? 0.02 : 0.01, population: 0.1 };
  };

  it('judges by distance and transfer, both ways', () => {
    expect(verdictsOf(analysed(study, world(ends(true))))).toEqual({
      C6: 'REPRODUCED',
      'C7.1': 'REPRODUCED',
      'C7.2': 'REPRODUCED',
      'C7.3': 'REPRODUCED',
    });
    expect(verdictsOf(analysed(study, world(ends(false))))).toMatchObject({ 'C7.1': 'NOT REPRODUCED', 'C7.3': 'NOT REPRODUCED' });
    const helps = (c: RunConfig) => ({ ...ends(true)(c), distance: c.network.batchNorm === true ? 0.01 : 0.2 });
    expect(verdictsOf(analysed(study, world(helps)))).toMatchObject({ C6: 'NOT REPRODUCED' });
  });

  it('shares its trials with fig-transfer', () => {
    const ids = new Set(studies['fig-transfer'].plan({ scale: 'quick', seed: 0 }, () => undefined).map((t) => t.id));
    const own = study.plan({ scale: 'quick', seed: 0 }, () => undefined);
    expect(own.filter((t) => !ids.has(t.id)).every((t) => kindOf(configOf(t)) === 'bn+layerwise')).toBe(true);
  });
});

describe('fig-batch-size', () => {
  const study = studies['fig-batch-size'];
  const floor = (power: number) => (t: Trial) => {
    const config = configOf(t);
    const value = 0.1 * (config.task.inputs / config.train.batch) ** power * wobble(config.seed);
    return recordOf(t, every(config.train.every, config.train.steps), { distance: (s) => Math.max(value, Math.exp(-s / 10)) });
  };

  it('measures the slope of the floor, and judges by it', () => {
    const analysis = analysed(study, floor(0.5));
    for (const { mean } of (analysis.data as never as { slopes: { mean: number }[] }).slopes) expect(mean).toBeCloseTo(0.5, 2);
    expect(new Set(Object.values(verdictsOf(analysis)))).toEqual(new Set(['REPRODUCED']));
    expect(new Set(Object.values(verdictsOf(analysed(study, floor(1)))))).toEqual(new Set(['NOT REPRODUCED']));
  });
});

describe('fig-combined', () => {
  const study = studies['fig-combined'];
  const plain = ({ optimizer, network, schedule }: RunConfig): boolean =>
    optimizer.name === 'layerwise' &&
    network.batchNorm !== true &&
    schedule?.kind !== 'cosine' &&
    optimizer['factorDecay'] === 0 &&
    optimizer['weightDecay'] === 0;
  const ends = (gain: number) => (c: RunConfig) => {
    const distance = plain(c) ? 0.1 : 0.1 / gain;
    return { loss: 0.1, distance, transfer: distance, population: 0.1 };
  };

  it('asks of each addition whether the method gains from it', () => {
    expect(new Set(Object.values(verdictsOf(analysed(study, world(ends(2))))))).toEqual(new Set(['REPRODUCED']));
    expect(new Set(Object.values(verdictsOf(analysed(study, world(ends(1))))))).toEqual(new Set(['NOT REPRODUCED']));
  });

  it('is of anisotropic inputs, and adds one thing at a time', () => {
    const trials = study.plan({ scale: 'quick', seed: 0 }, () => undefined).map(configOf);
    expect(new Set(trials.map(conditionOf))).toEqual(new Set([100, 10_000]));
    const grafted = trials.find((c) => c.optimizer.name === 'grafted')!.optimizer as never as Record<
      string,
      { name: string; learningRate: number }
    >;
    expect(grafted['magnitude']).toMatchObject({ name: 'adam', learningRate: grafted['direction'].learningRate });
  });
});

describe('fig-deep', () => {
  const study = studies['fig-deep'];
  const run = (accuracyOf: (name: string) => number) => (t: Trial) => {
    const { optimizer, seed } = configOf(t);
    const steps = every(29, 232);
    const loss = (s: number): number => 2 * (0.2 * atRate(configOf(t))) ** (s / 232);
    return recordOf(t, steps, { loss, testLoss: loss, accuracy: () => accuracyOf(optimizer.name) * wobble(seed) ** 0.01 });
  };

  it('judges by the accuracy on the test images, both ways', () => {
    const layered = run((name) => (['sgd', 'adamw'].includes(name) ? 0.8 : 0.85));
    expect(verdictsOf(analysed(study, layered))).toEqual({ E10: 'REPRODUCED', E11: 'REPRODUCED' });
    expect(
      verdictsOf(
        analysed(
          study,
          run((name) => (name === 'soap' ? 0.9 : 0.8)),
        ),
      ),
    ).toEqual({ E10: 'REPRODUCED', E11: 'NOT REPRODUCED' });
    expect(
      verdictsOf(
        analysed(
          study,
          run(() => 0.8),
        ),
      ),
    ).toEqual({ E10: 'NOT REPRODUCED', E11: 'NOT REPRODUCED' });
  });

  it('draws all its charts', async () => {
    for (const chart of Object.values(
      analysed(
        study,
        run(() => 0.8),
      ).charts,
    ))
      expect(await renderSvg(chart)).toContain('<svg');
  });
});

describe('forecastStudies', () => {
  it('counts what has no record yet, and what two figures share once', () => {
    const options = { scale: 'quick', seed: 0 } as const;
    const study = studies['fig-batch-size'];
    const [first, ...rest] = study.plan(options, () => undefined);
    const store = { has: (id: string) => id === first.id, record: () => undefined } as unknown as Store;
    expect(forecastStudies([study], options, store).each[study.name].trials).toBe(rest.length);
    const twice = forecastStudies([study, { ...study, name: 'again' }], options);
    expect(twice.all.trials).toBe(rest.length + 1);
    expect(twice.all.seconds).toBeGreaterThan(0);
  });
});
