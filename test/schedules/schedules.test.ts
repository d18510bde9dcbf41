import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { constant, cosine, inverseTime, warmup } from '../../lib/schedules/index.js';

describe('schedules', () => {
  it('constant stays', () => {
    expect([1, 50].map((t) => constant(0.3).at(t))).toEqual([0.3, 0.3]);
  });

  it('cosine starts at initial, is half way in the middle, ends at final and stays there', () => {
    const s = cosine({ initial: 1, steps: 10, final: 0.2 });
    expect([1, 6, 11, 99].map((t) => Number(s.at(t).toFixed(12)))).toEqual([1, 0.6, 0.2, 0.2]);
  });

  it('inverseTime halves after halfLife steps', () => {
    const s = inverseTime({ initial: 2, halfLife: 4 });
    expect([1, 5, 13].map((t) => s.at(t))).toEqual([2, 1, 0.5]);
  });

  it('warmup rises linearly to the schedule it leads into', () => {
    const s = warmup(4, constant(8));
    expect([1, 2, 4, 5].map((t) => s.at(t))).toEqual([2, 4, 8, 8]);
  });

  it('throw on what cannot be', () => {
    expect(() => cosine({ initial: -1, steps: 3 })).toThrow(OptionsError);
    expect(() => inverseTime({ initial: 1, halfLife: 0 })).toThrow(/halfLife: must be greater than 0; got 0/);
    expect(() => warmup(0, constant(1))).toThrow(ArgumentError);
    expect(() => warmup(3, 5 as never)).toThrow(/warmup: the second argument must be a schedule, such as constant\(0.1\); got 5/);
    expect(() => constant('x' as never)).toThrow(/constant: the value must be a finite number of at least 0, got "x"/);
  });
});
