/** The curves of a run: the batch loss, the metrics, and what the layers' preconditioners tell. */
import { ArgumentError, NumericalError } from '../errors.js';
import { dot, Matrix, norm } from '../linalg/index.js';
import type { Curve, Metric, Network, Optimizer, OptimizerState, UpdateContext } from '../types.js';
import type { Checkpoint } from './checkpoint.js';

/** Name of the curve of batch losses, each taken before its batch's update. */
const LOSS = 'loss';
const PREFIX = 'curves/';

export class Measurements {
  readonly curves: Record<string, Curve> = {};
  /** Training seconds at each point. */
  readonly at: number[] = [];
  readonly #metrics: readonly [string, Metric][];

  /** @throws ArgumentError when a metric's name is taken */
  constructor(metrics: Readonly<Record<string, Metric>>) {
    const dotted = Object.keys(metrics).find((name) => name.includes('.'));
    if (dotted !== undefined)
      throw new ArgumentError(`train: the metric name '${dotted}' has a dot, which the curves of telemetry have; use another`);
    if (LOSS in metrics) throw new ArgumentError(`train: the metric name '${LOSS}' is taken by the batch loss`);
    this.#metrics = Object.entries(metrics);
    for (const name of [LOSS, ...Object.keys(metrics)]) this.curves[name] = { steps: [], values: [] };
  }

  /** Adds a point to every curve. A metric that cannot be computed, as after divergence, is NaN there. */
  measure(step: number, seconds: number, loss: number, network: Network): void {
    if (step > 0) this.#add(LOSS, step, loss);
    for (const [name, metric] of this.#metrics)
      this.#add(
        name,
        step,
        valueOf(() => metric(network)),
      );
    this.at.push(seconds);
  }

  /** Adds a point to the curves of each parameter: norm of its last update, cosine of that with the negative gradient, and what its
   *  optimiser tells, named `parameter.quantity`. */
  inspect({ step, params, gradients }: UpdateContext, steps: readonly Matrix[], optimizer: Optimizer, state: OptimizerState): void {
    params.forEach(({ name }, i) => {
      const size = norm(steps[i]);
      this.#add(`${name}.updateNorm`, step, size);
      this.#add(`${name}.cosine`, step, -dot(steps[i], gradients[i]) / (size * norm(gradients[i]))); // NaN for a zero step
      for (const [quantity, value] of Object.entries(inspected(optimizer, state, i))) this.#add(`${name}.${quantity}`, step, value);
    });
  }

  arrays(): Record<string, Matrix> {
    return Object.fromEntries(
      Object.entries(this.curves).map(([name, { steps, values }]) => [PREFIX + name, Matrix.from([steps, values])]),
    );
  }

  /** @throws ArgumentError when a metric has no curve there: before anything is changed */
  requireFit(arrays: Checkpoint['arrays']): void {
    for (const name of Object.keys(this.curves))
      if (arrays[PREFIX + name]?.rows !== 2)
        throw new ArgumentError(`the checkpoint has no curve of ${name}; resume with the metrics it was made with`);
  }

  restore(arrays: Checkpoint['arrays'], at: Matrix | undefined): void {
    for (const [path, { data, cols }] of Object.entries(arrays)) {
      if (!path.startsWith(PREFIX)) continue;
      const curve = (this.curves[path.slice(PREFIX.length)] ??= { steps: [], values: [] });
      curve.steps.push(...data.subarray(0, cols));
      curve.values.push(...data.subarray(cols));
    }
    this.at.push(...(at?.data ?? []));
  }

  #add(name: string, step: number, value: number): void {
    const { steps, values } = (this.curves[name] ??= { steps: [], values: [] });
    steps.push(step);
    values.push(value);
  }
}

/** Nothing where the numbers cannot be computed, as after divergence. */
function inspected(optimizer: Optimizer, state: OptimizerState, i: number): Readonly<Record<string, number>> {
  try {
    return optimizer.inspect?.(state, i) ?? {};
  } catch (error) {
    if (error instanceof NumericalError) return {};
    throw error;
  }
}

function valueOf(metric: () => number): number {
  try {
    return metric();
  } catch (error) {
    if (error instanceof NumericalError) return NaN;
    throw error;
  }
}
