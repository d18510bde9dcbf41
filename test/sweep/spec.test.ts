import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from '../../lib/canonical.js';
import { OptionsError } from '../../lib/errors.js';
import { parseSpec, settingsOf, trial } from '../../lib/sweep/index.js';
import { leaves, valueAt, withValue } from '../../lib/paths.js';
import { configurations } from '../../lib/sweep/spec/space.js';
import { settingOf, trialId } from '../../lib/sweep/spec/trial.js';

const expand = (spec: object): unknown[] =>
  [...configurations(parseSpec(spec))].map((config) => {
    const { experiment, ...rest } = config;
    expect(experiment).toBe('linear-representation');
    return rest;
  });
const refusal = (spec: object): string => {
  try {
    [...settingsOf(parseSpec(spec))].at(0);
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError);
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

describe('canonical', () => {
  it('writes what RFC 8785 says (as the canonicalize package does), for any plain data', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => canonical(value) === canonicalize(value)));
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        return canonical(plain) === canonicalize(plain);
      }),
    );
    expect(canonical({ b: -0, a: [undefined, 1e21, 'ü\u2028"'], c: undefined })).toBe(canonicalize({ b: -0, a: [null, 1e21, 'ü\u2028"'] }));
  });
  it.each([NaN, Infinity])('throws for %s, which JSON lacks', (x) => expect(() => canonical({ x })).toThrow(TypeError));
});

describe('a trial', () => {
  it('is identified by its complete configuration, however it was written', () => {
    expect(trial({ seed: 1 }).id).toBe(trial({ task: { inputs: 100 }, seed: 1, dtype: 'float64' }).id);
    expect(trial({ seed: 1 }).id).not.toBe(trial({ seed: 2 }).id);
    expect(trial({ task: { noise: 0.2 } }).id).not.toBe(trial({}).id);
  });
  it('keeps its identity from release to release (golden)', () => {
    expect(trial({}).id).toBe('01e2e1eae0576835f64110120e20709a129c973c09f8a2b434bac7b621217c97');
  });
  it('has the identity of its setting with its seed', () => {
    const { id, config } = trial({ seed: 7, task: { noise: 0.3 } });
    expect(trialId(settingOf(config), 7)).toBe(id);
    expect(settingOf(config).id).toBe(settingOf({ ...config, seed: 8 }).id);
  });
});

describe('paths', () => {
  it('read, write a copy, and list what a configuration holds', () => {
    const config = { a: { b: [1, { c: 2 }] }, d: 3 };
    expect(valueAt(config, 'a.b.1.c')).toBe(2);
    expect(valueAt(config, 'a.x.y')).toBeUndefined();
    expect(withValue(config, 'a.b.1.c', 9)).toEqual({ a: { b: [1, { c: 9 }] }, d: 3 });
    expect(withValue(config, 'e.f', 1)).toEqual({ ...config, e: { f: 1 } });
    expect(config).toEqual({ a: { b: [1, { c: 2 }] }, d: 3 });
    expect(leaves(config)).toEqual({ 'a.b': [1, { c: 2 }], d: 3 });
  });
  it.each([
    ['a.b.2', /list of 2, which has no place 2/],
    ['d.x', /leads into 3, which has no x/],
  ])('%s is refused where it leads nowhere', (path, message) => {
    expect(() => withValue({ a: { b: [1, 2] }, d: 3 }, path, 0)).toThrow(message);
  });
  it('do not reach prototypes', () => {
    expect(valueAt({}, '__proto__.toString')).toBeUndefined();
    expect(refusal({ axes: { '__proto__.x': [1] } })).toMatch(/not allowed/);
  });
});

describe('axes', () => {
  it('make their product, the last one fastest', () => {
    expect(expand({ axes: { a: [1, 2], b: ['x', 'y'] } })).toEqual([
      { a: 1, b: 'x' },
      { a: 1, b: 'y' },
      { a: 2, b: 'x' },
      { a: 2, b: 'y' },
    ]);
  });
  it('are linear or logarithmic, with both ends', () => {
    expect(expand({ axes: { a: { linear: { from: 0, to: 1, count: 5 } } } })).toEqual([0, 0.25, 0.5, 0.75, 1].map((a) => ({ a })));
    expect(expand({ axes: { a: { log: { from: 0.001, to: 1, count: 4 } } } })).toEqual([0.001, 0.01, 0.1, 1].map((a) => ({ a })));
    expect(expand({ axes: { a: { log: { from: 1, to: 16, count: 5 }, integer: true } } })).toEqual([1, 2, 4, 8, 16].map((a) => ({ a })));
    expect(expand({ axes: { a: { linear: { from: 2, to: 9, count: 1 } } } })).toEqual([{ a: 2 }]);
  });
  it('that are logarithmic keep both ends and as many numbers as asked, however near or far apart', () => {
    const of = (from: number, to: number, count: number, integer = false): number[] =>
      (expand({ axes: { a: { log: { from, to, count }, integer } } }) as { a: number }[]).map(({ a }) => a);
    expect(of(1024, 4096, 3, true)).toEqual([1024, 2048, 4096]);
    expect(new Set(of(0.99, 0.999, 50)).size).toBe(50);
    expect(of(1e-200, 1e200, 3)).toEqual([1e-200, 1, 1e200]);
  });
  it('apply on conditions of those before them', () => {
    const axes = [
      { path: 'o', values: [{ name: 'p' }, { name: 'q' }] },
      { path: 'o.r', values: [1, 2], when: { 'o.name': 'p' } },
      { path: 'o.s', values: [3, 4], when: { 'o.name': ['q', 'z'] } },
    ];
    expect(expand({ axes })).toEqual([
      { o: { name: 'p', r: 1 } },
      { o: { name: 'p', r: 2 } },
      { o: { name: 'q', s: 3 } },
      { o: { name: 'q', s: 4 } },
    ]);
  });
  it('move together when zipped', () => {
    expect(
      expand({
        axes: [
          {
            zip: [
              { path: 'a', values: [1, 2] },
              { path: 'b', linear: { from: 5, to: 6, count: 2 } },
            ],
          },
          { path: 'c', values: [0] },
        ],
      }),
    ).toEqual([
      { a: 1, b: 5, c: 0 },
      { a: 2, b: 6, c: 0 },
    ]);
  });
  it('that are zipped apply each on its own condition', () => {
    const zip = [
      { path: 'a', values: [1, 2], when: { o: 'p' } },
      { path: 'b', values: [3, 4] },
    ];
    expect(expand({ axes: [{ path: 'o', values: ['p', 'q'] }, { zip }] })).toEqual([
      { o: 'p', a: 1, b: 3 },
      { o: 'p', a: 2, b: 4 },
      { o: 'q', b: 3 },
      { o: 'q', b: 4 },
    ]);
  });
  it('leave excluded combinations out', () => {
    expect(expand({ axes: { a: [1, 2], b: [1, 2] }, exclude: [{ a: 1, b: [2, 3] }] })).toHaveLength(3);
  });
  it('that are drawn depend on seed, axis and draw alone', () => {
    const of = (axes: object, seed = 0): { a: number }[] => expand({ axes, random: { draws: 40, seed } }) as { a: number }[];
    const alone = of({ a: { logUniform: { from: 1e-4, to: 1 } } }).map(({ a }) => a);
    expect(of({ b: { uniform: { from: 0, to: 1 } }, a: { logUniform: { from: 1e-4, to: 1 } } }).map(({ a }) => a)).toEqual(alone);
    expect(of({ a: { logUniform: { from: 1e-4, to: 1 } } }, 1).map(({ a }) => a)).not.toEqual(alone);
    expect(new Set(alone).size).toBe(40);
    expect(Math.min(...alone)).toBeGreaterThanOrEqual(1e-4);
    expect(alone.filter((a) => a < 0.01).length).toBeGreaterThan(10); // half of the decades
    expect(new Set(of({ a: { choice: ['x', 'y'] } }).map(({ a }) => a))).toEqual(new Set(['x', 'y']));
    expect(of({ a: { uniform: { from: 1, to: 9 }, integer: true } }).every(({ a }) => Number.isInteger(a))).toBe(true);
  });
  it('are crossed with those that are drawn, on the same draws', () => {
    const all = expand({ axes: { b: [1, 2], a: { uniform: { from: 0, to: 1 } } }, random: { draws: 3 } }) as { a: number; b: number }[];
    expect(all).toHaveLength(6);
    expect(all.filter(({ b }) => b === 1).map(({ a }) => a)).toEqual(all.filter(({ b }) => b === 2).map(({ a }) => a));
  });
});

describe('settingsOf', () => {
  it('gives each distinct setting once', () => {
    const axes = [
      { path: 'optimizer', values: [{ name: 'sgd' }, { name: 'adam' }] },
      { path: 'optimizer.beta1', values: [0.8, 0.9], when: { 'optimizer.name': 'adam' } },
      { path: 'task.noise', values: [0.1, 0.1] },
    ];
    expect([...settingsOf(parseSpec({ axes }))]).toHaveLength(3);
  });
});

describe('a specification is refused with the key and what is allowed:', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown key', { axis: {} }, /axis: unknown key; allowed: .*axes/],
    [
      'an axis of two kinds',
      { axes: { a: { values: [1], log: { from: 1, to: 2, count: 2 } } } },
      /takes one of values, linear.*got values and log/,
    ],
    ['an axis of none', { axes: { a: {} } }, /got none/],
    ['a logarithm of zero', { axes: { a: { log: { from: 0, to: 1, count: 3 } } } }, /positive/],
    ['an interval upside down', { axes: { a: { uniform: { from: 1, to: 0 } } }, random: { draws: 1 } }, /larger/],
    ['a drawn axis without draws', { axes: { a: { uniform: { from: 0, to: 1 } } } }, /random: \{ draws/],
    ['draws without a drawn axis', { axes: { a: [1] }, random: { draws: 2 } }, /no axis is drawn/],
    [
      'zipped axes of two lengths',
      {
        axes: [
          {
            zip: [
              { path: 'a', values: [1] },
              { path: 'b', values: [1, 2] },
            ],
          },
        ],
      },
      /got 1, 2/,
    ],
    [
      'a parent after its child',
      {
        axes: [
          { path: 'o.r', values: [1] },
          { path: 'o', values: [{}] },
        ],
      },
      /o would overwrite o\.r/,
    ],
    ['the seed as an axis', { axes: { seed: [1] } }, /seeds are given under seeds/],
    ['a seed in the base', { base: { seed: 1 } }, /base\.seed/],
    [
      'seeds for both roles',
      { seeds: { tuning: [1, 2], evaluation: [2] }, objective: { metric: 'x' } },
      /seed 2 is an evaluation seed too/,
    ],
    ['tuning without an objective', { seeds: { tuning: 2 } }, /tuning needs an objective/],
    ['pruning without an objective', { pruning: { method: 'median', rungs: [10] } }, /pruning needs an objective/],
    [
      'a rung between two points',
      { pruning: { method: 'asha', rungs: [5] }, objective: { metric: 'x' } },
      /5 is no point of the curves.*train\.every = 10/,
    ],
    [
      'pruning what computes in one go',
      { experiment: 'alignment', pruning: { method: 'asha', rungs: [1] }, objective: { metric: 'sgd' } },
      /computes in one go/,
    ],
    [
      'too many settings',
      { axes: { a: { linear: { from: 0, to: 1, count: 100000 } }, b: { linear: { from: 0, to: 1, count: 1000 } } } },
      /100000000 combinations/,
    ],
    ['an unknown experiment', { experiment: 'none' }, /must be one of linear-representation/],
    ['a memory of no unit', { memory: '3 apples' }, /2 GiB/],
    [
      'a wrong setting, with its place in the space',
      { axes: { 'train.batch': [16, -1] } },
      /train\.batch.*at least 1; got -1 \(with train\.batch = -1\)/,
    ],
  ])('%s', (_, spec, message) => expect(refusal(spec)).toMatch(message));
});
