import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { losses, type LossName } from '../../lib/losses/index.js';
import { Stream } from '../../lib/random/index.js';
import { DTYPES, build, expectClose, expectThrows, multiply, random, sumOver, transposed } from '../close.js';
import { LOSS_NAMES, PLAIN_LOSSES, derivative, expectMean, expectNear, meanLoss, rowOf } from '../networks/cases.js';

const SIZES = [
  [1, 1],
  [4, 3],
  [3, 7],
  [70, 2],
] as const;
const ROWS = LOSS_NAMES.flatMap((name) => SIZES.map(([n, c]) => ({ name, n, c })));

/** n x c outputs of unequal sizes. */
function outputsOf(n: number, c: number): Matrix {
  const at = random(n, c);
  return build(n, c, (i, j) => 2 * at.get(i, j) + (j === i % c ? 1.5 : 0));
}

/** The root's columns, S_i by S_i: n matrices of c x c. */
function rootsOf(name: LossName, outputs: Matrix): Matrix[] {
  const { rows: n, cols: c, dtype } = outputs;
  const columns = Array.from({ length: c }, (_, k) => {
    const root = Matrix.zeros(n, c, dtype);
    root.data.fill(NaN); // written, whatever it held
    losses[name].hessianRoot(outputs, k, root);
    return root;
  });
  return Array.from({ length: n }, (_, i) => build(c, c, (j, k) => columns[k].get(i, j)));
}

describe('the table of losses', () => {
  it('has each under its name, with the columns its targets have', () => {
    expect(LOSS_NAMES.map((name) => [losses[name].name, losses[name].targets(5)])).toEqual([
      ['squared', 5],
      ['softmax-cross-entropy', 1],
      ['logistic', 5],
    ]);
  });

  it.each(LOSS_NAMES)('says of %s whether its Hessian is the identity, which it is or is not', (name) => {
    const { data } = PLAIN_LOSSES[name].hessian(Float64Array.of(0.3, -1, 2));
    expect(losses[name].identityHessian).toBe(data.every((x, at) => x === (at % 4 === 0 ? 1 : 0)));
  });
});

describe('evaluate', () => {
  it.each(ROWS)('gives the mean loss and its gradient from the definitions: $name, $n x $c', ({ name, n, c }) => {
    const outputs = outputsOf(n, c);
    const targets = PLAIN_LOSSES[name].targets(n, c);
    const plain = build(n, c, (i, j) => PLAIN_LOSSES[name].gradient(rowOf(outputs, i), rowOf(targets, i))[j] / n);
    for (const { dtype, epsilon } of DTYPES) {
      const [f, y] = [outputs.clone(dtype), targets.clone(dtype)];
      const gradient = Matrix.zeros(n, c, dtype);
      const value = losses[name].evaluate(f, y, gradient);
      const expected = meanLoss(name, outputs, targets);
      expect(Math.abs(value - expected)).toBeLessThan(50 * epsilon * Math.max(1, Math.abs(expected)));
      expectClose(gradient, plain, 50 * epsilon);
      expect(losses[name].evaluate(f, y, f)).toBe(value); // in place
      expectClose(f, gradient, 0);
    }
  });

  it.each(ROWS)('gives the gradient that finite differences of the loss give: $name, $n x $c', ({ name, n, c }) => {
    const outputs = outputsOf(n, c);
    const targets = PLAIN_LOSSES[name].targets(n, c);
    const [gradient, unused] = [Matrix.zeros(n, c), Matrix.zeros(n, c)];
    losses[name].evaluate(outputs, targets, gradient);
    const differences = outputs.data.map((_, k) => derivative(outputs.data, k, () => [losses[name].evaluate(outputs, targets, unused)])[0]);
    expectNear(gradient.data, differences, 1e-9);
  });

  it.each([
    ['squared', [[1e150, 0]], [[0, 1]], 5e299, [1e150, -1]],
    ['softmax-cross-entropy', [[1000, 0]], [[1]], 1000, [1, -1]],
    ['softmax-cross-entropy', [[1000, 0]], [[0]], 0, [0, 0]],
    ['softmax-cross-entropy', [[-1000, -1000]], [[1]], Math.LN2, [0.5, -0.5]],
    ['logistic', [[1000, -1000]], [[0, 1]], 2000, [1, -1]],
    ['logistic', [[1000, -1000]], [[1, 0]], 0, [0, 0]],
    ['logistic', [[-1e300, 1e300]], [[0.5, 0.5]], 1e300, [-0.5, 0.5]],
    ['logistic', [[-40, 40]], [[0, 1]], 2 * Math.exp(-40), [Math.exp(-40), -Math.exp(-40)]],
  ] as const)('of %s neither overflows nor cancels at %j with targets %j', (name, f, y, value, gradient) => {
    const g = Matrix.zeros(1, 2);
    const found = losses[name].evaluate(Matrix.from(f), Matrix.from(y), g);
    expect(Math.abs(found - value)).toBeLessThanOrEqual(1e-13 * (name === 'softmax-cross-entropy' ? 1000 : value));
    // The gradient p - y at p near 1 has the rounding of p.
    expectClose(g.data, gradient, 2e-16);
  });

  it.each(LOSS_NAMES)('of %s is NaN where an output is', (name) => {
    const outputs = outputsOf(3, 2);
    outputs.data[2] = NaN;
    expect(losses[name].evaluate(outputs, PLAIN_LOSSES[name].targets(3, 2), Matrix.zeros(3, 2))).toBeNaN();
  });

  it.each(LOSS_NAMES)('of %s throws ArgumentError when shapes or dtypes differ', (name) => {
    const [f, y] = [outputsOf(3, 2), PLAIN_LOSSES[name].targets(3, 2)];
    const refused = (call: () => unknown) => expectThrows(call, ArgumentError, 'ERR_ARGUMENT', /shape|dtype|must be/);
    refused(() => losses[name].evaluate(f, PLAIN_LOSSES[name].targets(4, 2), f.clone()));
    refused(() =>
      losses[name].evaluate(
        f,
        build(3, 5, () => 0),
        f.clone(),
      ),
    );
    refused(() => losses[name].evaluate(f, y, Matrix.zeros(3, 3)));
    refused(() => losses[name].evaluate(f, y.clone('float32'), f.clone()));
  });

  it.each([2, -1, 0.5, NaN, Infinity])(
    'of softmax-cross-entropy throws ArgumentError for the label %d of 2 classes, naming its row',
    (label) => {
      const call = (): unknown =>
        losses['softmax-cross-entropy'].evaluate(outputsOf(3, 2), Matrix.from([[0], [label], [1]]), Matrix.zeros(3, 2));
      expectThrows(
        call,
        ArgumentError,
        'ERR_ARGUMENT',
        new RegExp(`the label of row 1 is ${label}; it must be a whole number in \\[0, 2\\)`),
      );
    },
  );
});

describe('hessianRoot', () => {
  it.each(ROWS)(
    "gives S with S S' the Hessian of a sample, from the definition and by differences of the gradient: $name, $n x $c",
    ({ name, n, c }) => {
      const outputs = outputsOf(n, c);
      const before = outputs.clone();
      const targets = PLAIN_LOSSES[name].targets(n, c);
      const gradient = Matrix.zeros(n, c);
      const differences = Array.from({ length: n }, () => Matrix.zeros(c, c));
      outputs.data.forEach((_, at) => {
        const column = derivative(outputs.data, at, () => {
          losses[name].evaluate(outputs, targets, gradient);
          return gradient.data;
        });
        const [i, k] = [Math.floor(at / c), at % c];
        for (let j = 0; j < c; j++) differences[i].data[j * c + k] = n * column[i * c + j];
      });
      rootsOf(name, outputs).forEach((s, i) => {
        const h = multiply(s, transposed(s));
        expectClose(h, PLAIN_LOSSES[name].hessian(rowOf(outputs, i)), 1e-14);
        expectNear(h, differences[i], 1e-9);
      });
      expectClose(outputs, before, 0);
    },
  );

  it.each([-700, -30, -3, 0, 3, 30, 700])('of the logistic loss keeps its digits at %d', (f) => {
    const root = Matrix.zeros(1, 1);
    losses.logistic.hessianRoot(Matrix.from([[f]]), 0, root);
    const e = Math.exp(-Math.abs(f));
    expect(root.data[0] ** 2 / (e / (1 + e) ** 2)).toBeCloseTo(1, 12);
    const x = Matrix.from([[1]]);
    losses.logistic.hessianTimes(Matrix.from([[f]]), x, Matrix.zeros(1, 1));
    expect(x.data[0] / (e / (1 + e) ** 2)).toBeCloseTo(1, 12);
  });

  it.each(LOSS_NAMES)('of %s is finite for outputs of any size', (name) => {
    for (const outputs of [
      [1e300, -1e300],
      [-1e300, -1e300],
      [800, 0],
    ].map((row) => Matrix.from([row])))
      for (const root of rootsOf(name, outputs)) expect(root.data.every(Number.isFinite)).toBe(true);
  });
});

describe('hessianTimes', () => {
  it.each(ROWS)('is the Hessian times each row, in both dtypes: $name, $n x $c', ({ name, n, c }) => {
    const outputs = outputsOf(n, c);
    const x = random(n, c, 'float64', 5);
    for (const { dtype, epsilon } of DTYPES) {
      const [f, product] = [outputs.clone(dtype), x.clone(dtype)];
      losses[name].hessianTimes(f, product, Matrix.zeros(n, c, dtype));
      const expected = build(
        n,
        c,
        (i, j) => multiply(PLAIN_LOSSES[name].hessian(rowOf(outputs, i)), transposed(Matrix.from([rowOf(x, i)]))).data[j],
      );
      expectClose(product, expected, 20 * epsilon);
      expectClose(f, outputs, dtype === 'float64' ? 0 : epsilon);
      const roots = rootsOf(name, f);
      const byRoots = build(
        n,
        c,
        (i, j) => multiply(roots[i], multiply(transposed(roots[i]), transposed(Matrix.from([rowOf(x, i)])))).data[j],
      );
      expectClose(product, byRoots, 20 * epsilon);
    }
  });
});

describe('drawGradient', () => {
  const N = 5000;

  it.each(LOSS_NAMES.flatMap((name) => DTYPES.map((row) => ({ name, ...row }))))(
    'has mean 0 and the Hessian for its mean outer product: $name, $dtype',
    ({ name, dtype }) => {
      const f = [0.4, -1.2, 1];
      const outputs = build(N, 3, (_, j) => f[j]).clone(dtype);
      const before = outputs.clone();
      const gradient = Matrix.zeros(N, 3, dtype);
      gradient.data.fill(NaN);
      losses[name].drawGradient(outputs, new Stream(9).substream('test'), gradient);
      const draws = Array.from({ length: N }, (_, i) => Float64Array.from(rowOf(gradient, i)));
      const h = PLAIN_LOSSES[name].hessian(Float64Array.from(f));
      const outer = draws.map((g) => Float64Array.from(h.data, (_, at) => g[Math.floor(at / 3)] * g[at % 3]));
      // Asserted of 1 + g, so that the mean has a size to be compared with.
      expectMean(
        draws.map((g) => g.map((x) => 1 + x)),
        [1, 1, 1],
        0.02,
      );
      expectMean(
        outer.map((o) => o.map((x) => 1 + x)),
        h.data.map((x) => 1 + x),
        0.04,
      );
      expectClose(outputs, before, 0);
    },
  );

  it('of softmax-cross-entropy is p - e_y, y as often as p says', () => {
    const f = [0.4, -1.2, 1, 0];
    const p = f.map((x) => Math.exp(x) / sumOver(f, Math.exp));
    const gradient = Matrix.zeros(N, 4);
    losses['softmax-cross-entropy'].drawGradient(
      build(N, 4, (_, j) => f[j]),
      new Stream(9),
      gradient,
    );
    const drawn = Array.from({ length: N }, (_, i) => rowOf(gradient, i).findIndex((x) => x < 0));
    expectClose(
      gradient,
      build(N, 4, (i, j) => p[j] - (j === drawn[i] ? 1 : 0)),
      1e-15,
    );
    p.forEach((q, j) => {
      const share = drawn.filter((label) => label === j).length / N;
      expect(Math.abs(share - q)).toBeLessThan(5 * Math.sqrt((q * (1 - q)) / N));
    });
  });

  it('of the logistic loss is p - y with y 0 or 1, 1 as often as p says', () => {
    const f = [-1.5, 0, 2];
    const p = f.map((x) => 1 / (1 + Math.exp(-x)));
    const gradient = Matrix.zeros(N, 3);
    losses.logistic.drawGradient(
      build(N, 3, (_, j) => f[j]),
      new Stream(9),
      gradient,
    );
    const drawn = build(N, 3, (i, j) => (gradient.get(i, j) < 0 ? 1 : 0));
    expectClose(
      gradient,
      build(N, 3, (i, j) => p[j] - drawn.get(i, j)),
      1e-15,
    );
    p.forEach((q, j) => {
      const share = sumOver(drawn.data, (y, at) => (at % 3 === j ? y : 0)) / N;
      expect(Math.abs(share - q)).toBeLessThan(5 * Math.sqrt((q * (1 - q)) / N));
    });
  });

  it('of the squared loss is standard normal', () => {
    const gradient = Matrix.zeros(N, 1);
    losses.squared.drawGradient(Matrix.zeros(N, 1), new Stream(9), gradient);
    const fourth = sumOver(gradient.data, (x) => x ** 4) / N;
    expect(Math.abs(fourth - 3)).toBeLessThan(5 * Math.sqrt(96 / N));
  });

  it('draws what is certain, and nothing of probability 0', () => {
    const gradient = Matrix.zeros(500, 3);
    losses['softmax-cross-entropy'].drawGradient(
      build(500, 3, (_, j) => (j === 1 ? 0 : -2000)),
      new Stream(9),
      gradient,
    );
    expect(gradient.data.every((x) => x === 0)).toBe(true);
    losses.logistic.drawGradient(
      build(500, 3, (_, j) => (j === 1 ? 800 : -800)),
      new Stream(9),
      gradient,
    );
    expect(gradient.data.every((x) => Math.abs(x) < 1e-300)).toBe(true);
  });

  it.each(LOSS_NAMES)('of %s is a function of the stream, and moves it on', (name) => {
    const drawn = (stream: Stream): number[] => {
      const gradient = Matrix.zeros(20, 3);
      losses[name].drawGradient(outputsOf(20, 3), stream, gradient);
      return Array.from(gradient.data);
    };
    const stream = new Stream(4);
    const first = drawn(stream);
    expect(drawn(new Stream(4))).toEqual(first);
    expect(drawn(stream)).not.toEqual(first);
  });

  it.each(LOSS_NAMES)('of %s and its Hessian survive NaN', (name) => {
    const outputs = outputsOf(3, 2);
    outputs.data.fill(NaN, 2, 4);
    const out = Matrix.zeros(3, 2);
    losses[name].drawGradient(outputs, new Stream(1), out);
    losses[name].hessianRoot(outputs, 1, out);
    losses[name].hessianTimes(outputs, out, Matrix.zeros(3, 2));
    expect([0, 1, 4, 5].every((at) => Number.isFinite(out.data[at]))).toBe(true);
  });
});
