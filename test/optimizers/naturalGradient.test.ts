import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { denseCurvatureOf } from '../../lib/networks/index.js';
import { gaussNewton } from '../../lib/optimizers/gaussNewton.js';
import { naturalGradient, type NaturalGradientOptions } from '../../lib/optimizers/naturalGradient.js';
import { build, expectClose, maxAbs, maxAbsDiff } from '../close.js';
import { contextOf, evaluate, stepsOf } from '../fixtures.js';
import { frobenius, plusDiagonal, sceneOf, solveFor, times, type Scene } from './kroneckerByHand.js';

const flat = (list: readonly Matrix[]): Matrix => Matrix.from(list.flatMap((m) => Array.from(m.data, (x) => [x])));

function flatSteps({ network, batch, loss }: Scene, optimizer: ReturnType<typeof naturalGradient>): Matrix {
  evaluate(network, batch, optimizer.needs(1), loss);
  return flat(stepsOf(optimizer, network));
}

const LOSSES = ['squared', 'softmax-cross-entropy', 'logistic'] as const;

describe('naturalGradient', () => {
  it.each(LOSSES)("with fisher 'ggn' takes gaussNewton's step to the bit, under %s", (loss) => {
    const scene = sceneOf({ loss, widths: [3, 4, 2] });
    const options = { learningRate: [0.3, 0.7], damping: 0.02 };
    const step = flatSteps(scene, naturalGradient(options));
    expect(maxAbsDiff(step, flatSteps(scene, gaussNewton(options) as ReturnType<typeof naturalGradient>))).toBe(0);
  });

  it.each(LOSSES.flatMap((loss) => (['ggn', 'empirical'] as const).map((fisher) => ({ loss, fisher }))))(
    'with fisher $fisher takes -rate (C + damping I)^-1 g with C by Jacobians, under $loss',
    ({ loss, fisher }) => {
      const scene = sceneOf({ loss, widths: [3, 4, 2] });
      const dense = denseCurvatureOf(scene.network, scene.loss, scene.batch, fisher);
      const step = flatSteps(scene, naturalGradient({ learningRate: 0.3, damping: 0.02, fisher }));
      const expected = times(-0.3, solveFor(plusDiagonal(dense, 0.02), flat(scene.network.gradients)));
      expectClose(step, expected, 1e-11);
    },
  );

  it.each(LOSSES)("with fisher 'mc' takes the step of the drawn matrix, which is near 'ggn' over many draws, under %s", (loss) => {
    const one = sceneOf({ loss, widths: [3, 3, 2], samples: 1 });
    const copies = (m: Matrix): Matrix => build(20_000, m.cols, (_, j) => m.data[j]);
    const scene = { ...one, batch: { inputs: copies(one.batch.inputs), targets: copies(one.batch.targets) } };
    const step = flatSteps(scene, naturalGradient({ learningRate: 0.3, damping: 0.05, fisher: 'mc' }));
    const drawn = contextOf(scene.network).dense!;
    expectClose(step, times(-0.3, solveFor(plusDiagonal(drawn, 0.05), flat(scene.network.gradients))), 1e-11);
    const exact = denseCurvatureOf(one.network, one.loss, one.batch, 'ggn');
    const gap = maxAbsDiff(drawn, exact) / maxAbs(exact);
    expect(gap).toBeLessThan(0.05);
    expect(gap).toBeGreaterThan(1e-6);
    expect(Number.isFinite(frobenius(step))).toBe(true);
  });

  it('follows schedules and rates by layer', () => {
    const scene = sceneOf({ widths: [3, 4, 2] });
    const { network, batch, loss } = scene;
    const optimizer = naturalGradient({ learningRate: [{ at: (t) => 0.6 / t }, 0.2] });
    evaluate(network, batch, optimizer.needs(3), loss);
    const steps = stepsOf(optimizer, network, optimizer.init(network.params), 3);
    const plain = stepsOf(naturalGradient({ learningRate: 1 }), network);
    [0.2, 0.2, 0.2, 0.2].forEach((rate, i) => expectClose(steps[i], times(rate, plain[i]), 1e-14));
    expectClose(stepsOf(optimizer, network, optimizer.init(network.params), 2)[0], times(0.3, plain[0]), 1e-14);
  });

  it('asks for the dense matrix of its kind and works on all parameters together', () => {
    expect(naturalGradient().needs(1)).toMatchObject({ dense: 'ggn', inputs: false, outputFactor: 'none' });
    expect(naturalGradient({ fisher: 'mc' }).needs(7).dense).toBe('mc');
    expect(naturalGradient({ fisher: 'empirical' }).needs(2).dense).toBe('empirical');
    expect(naturalGradient().order).toBe('simultaneous');
  });

  it.each([
    [{ fisher: 'none' }, /naturalGradient: fisher: must be one of ggn, mc, empirical/],
    [{ damping: 0 }, /naturalGradient: damping: must be greater than 0; got 0/],
    [{ solver: 'cg' }, /naturalGradient: solver: unknown key/],
  ])('throws OptionsError for %j', (options, message) => {
    const call = (): unknown => naturalGradient(options as NaturalGradientOptions);
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });
});
