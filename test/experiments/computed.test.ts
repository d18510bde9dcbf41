import { describe, expect, it } from 'vitest';
import { requireComputed } from '../../lib/experiments/computed.js';

const curve = (steps: unknown, values: unknown) => ({ metrics: { value: { steps, values } }, tables: {} });

describe('what an experiment of one own computes', () => {
  it('may hold any lists of numbers, NaN and names like __proto__ included, and no tables', () => {
    const metrics = Object.fromEntries(
      ['__proto__', 'constructor'].map((name) => [name, { steps: [0, 2], values: Float32Array.of(NaN, 1) }]),
    );
    const { metrics: own, tables } = requireComputed('mine', { metrics });
    expect(Object.entries(own)).toEqual([
      ['__proto__', { steps: [0, 2], values: [NaN, 1] }],
      ['constructor', { steps: [0, 2], values: [NaN, 1] }],
    ]);
    expect(tables).toEqual({});
  });

  it.each([
    [{ metrics: new Map() }, /metrics must be an object of curves, got Map/],
    [{ metrics: { '\ud800x': { steps: [1], values: [1] } } }, /metrics has a name that is no text/],
    [undefined, /^compute of mine: the result must be an object of metrics and tables, got undefined/],
    [{ metrics: [] }, /metrics must be an object of curves, got \[\]/],
    [{ metrics: { value: [1, 2] } }, /metrics\.value must be an object of steps and values/],
    [curve([1], 3), /metrics\.value\.values must be a list of numbers, got 3/],
    [curve([1, 2], [1]), /metrics\.value must have lists of one length, got 2 and 1/],
    [curve([1], ['0.5']), /metrics\.value\.values must hold numbers alone, and holds '0\.5'/],
    [curve([1], [null]), /metrics\.value\.values must hold numbers alone, and holds null/],
    [curve([1, 1], [1, 2]), /metrics\.value\.steps must be whole numbers/],
    [curve([0.5], [1]), /metrics\.value\.steps must be whole numbers/],
    [curve([NaN], [1]), /metrics\.value\.steps must be whole numbers/],
    [{ metrics: {}, tables: { t: [1] } }, /tables\.t must be an object of columns/],
    [{ metrics: {}, tables: { t: { a: [1], b: [] } } }, /tables\.t must have lists of one length, got 1 and 0/],
  ])('is refused with its place: %j', (given, message) => {
    expect(() => requireComputed('mine', given)).toThrow(message);
  });
});
