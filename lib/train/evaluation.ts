/** A network on a batch under a loss: passes, and what an update may ask of them. */
import { ArgumentError } from '../errors.js';
import { axpby, copy, Matrix, type Rows } from '../linalg/index.js';
import type { Stream } from '../random/index.js';
import type { Batch, LayerStats, Loss, Network, Optimizer, Params, UpdateContext, UpdateEvent } from '../types.js';

/** A factor that fails at every step would fill the record. */
const MOST_EVENTS = 200;

export interface EvaluationParts {
  readonly network: Network;
  readonly loss: Loss;
  readonly optimizer: Pick<Optimizer, 'needs'>;
  /** Of the labels drawn from the model. */
  readonly labels: Stream;
}

/**
 * For loops of one's own:
 *
 *     const evaluation = new Evaluation({ network, loss, optimizer, labels: new Stream(0) });
 *     const state = optimizer.init(network.params);
 *     const steps = network.params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
 *     const all = network.params.map((_, i) => i);
 *     for (evaluation.step = 1; evaluation.step <= 100; evaluation.step++) {
 *       evaluation.evaluate(batch, all, true);
 *       optimizer.update(evaluation, state, steps, all);
 *       for (const i of all) axpby(1, steps[i], 1, network.params[i].value);
 *     }
 */
export class Evaluation implements UpdateContext {
  /** Counted from 1; move it on before each step. */
  step = 0;
  /** Of the last pass. */
  loss = NaN;
  readonly events: UpdateEvent[] = [];
  readonly params: Params;
  readonly gradients: readonly Matrix[];
  readonly stats: readonly (LayerStats | null)[];

  readonly #parts: EvaluationParts;
  readonly #saved: readonly Matrix[];
  #batch: Batch<Rows> | undefined;
  #outputGradient: Matrix;

  constructor(parts: EvaluationParts) {
    const { network } = parts;
    this.#parts = parts;
    this.params = network.params;
    this.gradients = network.gradients;
    this.stats = network.stats;
    this.#saved = network.params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
    this.#outputGradient = Matrix.zeros(0, network.outputs, network.dtype);
  }

  get dense(): Matrix | null {
    return this.#parts.network.dense;
  }

  /** Forward and backward passes with the statistics the optimiser asks for at this step.
   *  @param fresh  false where the batch has been seen already in this step; @returns the mean loss */
  evaluate(batch: Batch<Rows>, parameters: readonly number[], fresh: boolean): number {
    if (!(this.step >= 1)) throw new ArgumentError(`Evaluation: steps are counted from 1; set step before evaluating, it is ${this.step}`);
    const { network, loss, optimizer, labels } = this.#parts;
    this.#batch = batch;
    this.loss = this.#forward(fresh);
    network.backward(this.#outputGradient, parameters);
    network.report({ needs: optimizer.needs(this.step), loss, stream: labels }, parameters);
    return this.loss;
  }

  lossAt(steps: readonly Matrix[], which: readonly number[]): number {
    this.#requireBatch();
    for (const i of which) {
      copy(this.params[i].value, this.#saved[i]);
      axpby(1, steps[i], 1, this.params[i].value);
    }
    const loss = this.#forward(false);
    for (const i of which) copy(this.#saved[i], this.params[i].value);
    // Statistics and Gauss-Newton products read the layers' buffers, which other parts of an update may still ask for.
    this.#forward(false);
    return loss;
  }

  curvatureTimes(direction: readonly Matrix[], out: readonly Matrix[]): void {
    this.#requireBatch();
    for (const [what, list] of [['direction', direction] as const, ['out', out] as const])
      if (list.length !== this.params.length)
        throw new ArgumentError(`Evaluation: ${what} must have one matrix a parameter (${this.params.length}), got ${list.length}`);
    this.#parts.network.curvatureTimes(direction, this.#parts.loss, out);
  }

  note(parameter: string, message: string): void {
    if (this.events.length > MOST_EVENTS) return;
    const last = this.events.length === MOST_EVENTS;
    this.events.push({ step: this.step, parameter, message: last ? `${message} (further events are not listed)` : message });
  }

  #requireBatch(): void {
    if (this.#batch === undefined) throw new ArgumentError('Evaluation: evaluate a batch first');
  }

  #forward(fresh: boolean): number {
    const { network, loss } = this.#parts;
    const { inputs, targets } = this.#batch!;
    if (this.#outputGradient.rows !== inputs.rows) this.#outputGradient = Matrix.zeros(inputs.rows, network.outputs, network.dtype);
    return loss.evaluate(network.forward(inputs, fresh), targets, this.#outputGradient);
  }
}
