/** What a run will take, before it runs: rough counts of operations, and a short look at the real thing. */
import type { Training } from '../train/index.js';

/** Floating-point operations a second of one core, for want of a measurement: on small matrices step by step, and on large ones. */
const RATE = 5e9;
const LARGE_RATE = 4e10;
/** Seconds around a step or run that are no arithmetic. */
const OVERHEAD = { step: 1e-4, run: 5e-3 };

interface TrainedShape {
  readonly steps: number;
  readonly batch: number;
  /** Widths from the inputs to the outputs. */
  readonly widths: readonly number[];
  readonly optimizer: { readonly name?: unknown };
  /** Operations to draw a batch. */
  readonly sampling?: number;
}

/** Methods that take gradients alone. */
const FIRST_ORDER: readonly unknown[] = ['sgd', 'adam', 'adamw'];
/** Methods with a matrix of all parameters. */
const DENSE: readonly unknown[] = ['gaussNewton', 'naturalGradient'];

/** Operations of a run: three products a layer, and what a preconditioner adds. */
export function trainedWork({ steps, batch, widths, optimizer, sampling = 0 }: TrainedShape): number {
  let step = sampling;
  let parameters = 0;
  for (let i = 1; i < widths.length; i++) {
    const [a, b] = [widths[i - 1], widths[i]];
    parameters += a * b;
    step += 6 * batch * a * b;
    if (!FIRST_ORDER.includes(optimizer.name)) step += batch * (a * a + b * b) + 10 * (a ** 3 + b ** 3);
  }
  if (DENSE.includes(optimizer.name)) step += batch * parameters ** 2 + parameters ** 3 / 3;
  return steps * (step + OVERHEAD.step * RATE);
}

/** @param work  operations of the run @param inOneGo  products and factors of large matrices for the most part */
export const secondsOf = (work: number, inOneGo: boolean): number => OVERHEAD.run + work / (inOneGo ? LARGE_RATE : RATE);

export interface Probe {
  readonly secondsAStep: number;
  /** Of matrices, at rest. */
  readonly bytes: number;
}

/** Takes a few steps of a run, for about so many seconds. */
export function probe(build: () => Training, seconds: number): Probe {
  const before = process.memoryUsage().arrayBuffers;
  const training = build();
  training.advance(1); // buffers are made
  const bytes = Math.max(0, process.memoryUsage().arrayBuffers - before);
  const started = performance.now();
  const first = training.step;
  while (performance.now() - started < 1000 * seconds && training.advance(1));
  const steps = Math.max(1, training.step - first);
  return { secondsAStep: (performance.now() - started) / 1000 / steps, bytes };
}
