/** The training loop: draw a batch, evaluate, update, apply; metrics now and then; stop on budget, divergence or failure. */
import { z } from 'zod';
import { ArgumentError, NumericalError, OptionsError } from '../errors.js';
import { Matrix, axpby, norm } from '../linalg/index.js';
import { squared } from '../losses/index.js';
import { parseOptions, positive, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type {
  Batch,
  Curve,
  Loss,
  Metric,
  Network,
  Optimizer,
  OptimizerState,
  Order,
  RunRecord,
  RunStatus,
  Task,
  UpdateContext,
} from '../types.js';
import { flatten, requireFit as requireCheckpointFit, restore, type Checkpoint } from './checkpoint.js';

/** The part of the options that is plain data, with its defaults. */
export const trainSchema = z.strictObject({
  /** Samples a step, fresh each time. */
  batch: size().default(1024),
  /** Steps in all. */
  steps: size().default(300),
  /** Stop after this many seconds of training (metrics not counted), whichever comes first. */
  seconds: positive().optional(),
  /** How layers take turns; by default as the optimiser's definition says, else simultaneous. */
  order: z.enum(['simultaneous', 'alternating', 'alternating-backward']).optional(),
  /** Steps between two points of the metrics' curves, which also have one at the start and at the end. */
  every: size().default(10),
  /** The run counts as diverged once its loss is not finite, or above this many times the first batch's. */
  divergence: positive().default(1e6),
  /** Seed of the batches. */
  seed: seed().default(0),
});

export interface TrainOptions extends z.input<typeof trainSchema> {
  readonly task: Task;
  readonly network: Network;
  readonly optimizer: Optimizer;
  /** Default squared. */
  readonly loss?: Loss;
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Called at each metric point with the record so far; its time is not counted as training. */
  readonly onPoint?: (training: Training) => void;
  /** Continue from here; the other options must be those of the run that made it. */
  readonly resume?: Checkpoint | undefined;
}

/** Name of the curve of batch losses, each taken before its batch's update. */
const LOSS = 'loss';

/** A run that can be advanced step by step. `train` drives one to its end. */
export class Training {
  readonly network: Network;
  readonly #o: z.output<typeof trainSchema>;
  readonly #task: Task;
  readonly #optimizer: Optimizer;
  readonly #loss: Loss;
  readonly #metrics: readonly [string, Metric][];
  readonly #onPoint: ((training: Training) => void) | undefined;
  readonly #stream: Stream;
  readonly #batch: Batch;
  readonly #outputGradient: Matrix;
  readonly #steps: Matrix[];
  readonly #phases: readonly (readonly number[])[];
  readonly #order: Order;
  readonly #state: OptimizerState;
  readonly #context: UpdateContext & { step: number; gaussNewton: Matrix | null };
  readonly #curves: Record<string, Curve> = {};
  readonly #at: number[] = [];

  #firstLoss = NaN;
  #lastLoss = NaN;
  #trainingSeconds = 0;
  #status: RunStatus | null = null;
  #reason: string | undefined;

  /** @throws OptionsError or ArgumentError when options do not fit each other */
  constructor({ task, network, optimizer, loss = squared, metrics = {}, onPoint, resume, ...plain }: TrainOptions) {
    this.#o = parseOptions(trainSchema, plain, 'train');
    requireFit(task, network, metrics);
    this.network = network;
    this.#task = task;
    this.#optimizer = optimizer;
    this.#loss = loss;
    this.#metrics = Object.entries(metrics);
    this.#onPoint = onPoint;
    this.#order = chooseOrder(this.#o.order, optimizer);
    this.#phases = phasesOf(network, this.#order);
    this.#stream = new Stream(this.#o.seed).substream('batches');
    this.#batch = {
      inputs: Matrix.zeros(this.#o.batch, task.inputs, task.dtype),
      targets: Matrix.zeros(this.#o.batch, task.outputs, task.dtype),
    };
    this.#outputGradient = Matrix.zeros(this.#o.batch, task.outputs, task.dtype);
    this.#steps = network.params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
    this.#state = optimizer.init(network.params);
    this.#context = { step: 0, params: network.params, gradients: network.gradients, stats: network.stats, gaussNewton: null };
    for (const name of [LOSS, ...Object.keys(metrics)]) this.#curves[name] = { steps: [], values: [] };
    if (resume === undefined) this.#measure();
    else this.#restore(resume);
  }

  /** Steps completed. */
  get step(): number {
    return this.#context.step;
  }

  get finished(): boolean {
    return this.#status !== null;
  }

  /** Takes up to `count` steps. @returns whether the run can go on */
  advance(count: number): boolean {
    if (this.finished) return false;
    let started = performance.now();
    const pause = (): void => {
      this.#trainingSeconds += (performance.now() - started) / 1000;
    };
    for (let i = 0; i < count && !this.finished; i++) {
      this.#takeStep();
      const { seconds } = this.#o;
      const outOfTime = seconds !== undefined && this.#trainingSeconds + (performance.now() - started) / 1000 >= seconds;
      if (!this.finished && (this.step >= this.#o.steps || outOfTime)) this.#finish();
      if (this.finished || this.step % this.#o.every === 0) {
        pause();
        this.#measure();
        started = performance.now();
      }
    }
    pause();
    return !this.finished;
  }

  /** Ends an unfinished run early; its checkpoint can be resumed. */
  stop(reason: string): void {
    if (this.finished) return;
    this.#status = 'stopped';
    this.#reason = reason;
  }

  record(): RunRecord {
    return {
      status: this.#status ?? 'stopped',
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      steps: this.step,
      metrics: structuredClone(this.#curves),
      timing: { trainingSeconds: this.#trainingSeconds, at: [...this.#at] },
    };
  }

  /** Everything a later run needs to go on from here, bit for bit. */
  checkpoint(): Checkpoint {
    const arrays: Record<string, Matrix> = {};
    for (const { name, value } of this.network.params) arrays[`params/${name}`] = value.clone();
    flatten(this.network.state, 'network', arrays);
    flatten(this.#state, 'optimizer', arrays);
    for (const [name, { steps, values }] of Object.entries(this.#curves)) arrays[`curves/${name}`] = Matrix.from([steps, values]);
    flatten({ ...this.#clock(), at: Float64Array.from(this.#at) }, 'loop', arrays);
    return { arrays, about: { ...this.#about(), status: this.#status ?? 'running', reason: this.#reason ?? '' } };
  }

  #clock(): Record<string, number> {
    const { step } = this.#context;
    return {
      step,
      position: this.#stream.state.position,
      firstLoss: this.#firstLoss,
      lastLoss: this.#lastLoss,
      trainingSeconds: this.#trainingSeconds,
    };
  }

  /** What a checkpoint must share with the run that continues it. */
  #about(): Checkpoint['about'] {
    const { batch, seed: seedUsed } = this.#o;
    return {
      format: 1,
      task: this.#task.name,
      network: this.network.name,
      optimizer: this.#optimizer.name,
      order: this.#order,
      dtype: this.#task.dtype,
      batch,
      seed: seedUsed,
    };
  }

  #restore({ arrays, about }: Checkpoint): void {
    for (const [key, mine] of Object.entries(this.#about()))
      if (about[key] !== mine)
        throw new ArgumentError(`the checkpoint is of another run: its ${key} is ${about[key]}, this run's is ${mine}`);
    const params = Object.fromEntries(this.network.params.map(({ name, value }) => [name, value]));
    const clock = this.#clock();
    const parts = [
      [params, 'params'],
      [this.network.state, 'network'],
      [this.#state, 'optimizer'],
      [clock, 'loop'],
    ] as const;
    for (const [tree, path] of parts) requireCheckpointFit(tree, path, arrays); // all of it before the first number is changed
    const curves = Object.entries(this.#curves).map(([name, curve]) => ({ curve, saved: savedCurve(name, arrays) }));
    for (const [tree, path] of parts) restore(tree, path, arrays);
    this.#context.step = clock['step'];
    this.#stream.seek(clock['position']);
    this.#firstLoss = clock['firstLoss'];
    this.#lastLoss = clock['lastLoss'];
    this.#trainingSeconds = clock['trainingSeconds'];
    this.#at.push(...(arrays['loop/at']?.data ?? []));
    for (const { curve, saved } of curves) {
      curve.steps.push(...saved.data.subarray(0, saved.cols));
      curve.values.push(...saved.data.subarray(saved.cols));
    }
    this.#restoreStatus(about);
  }

  /** A run that diverged or failed stays so; one that was done goes on only where its budget has grown. */
  #restoreStatus({ status, reason }: Checkpoint['about']): void {
    if (status === 'diverged' || status === 'failed') {
      this.#status = status;
      this.#reason = String(reason);
    } else if (this.step >= this.#o.steps || this.#trainingSeconds >= (this.#o.seconds ?? Infinity)) this.#status = 'done';
  }

  #takeStep(): void {
    this.#task.sample(this.#stream, this.#batch);
    this.#context.step++;
    try {
      for (let p = 0; p < this.#phases.length; p++) {
        const phase = this.#phases[p];
        const loss = this.#evaluate(phase, p === 0);
        if (p === 0 && this.#diverges(loss)) return;
        this.#optimizer.update(this.#context, this.#state, this.#steps, phase);
        for (const i of phase) axpby(1, this.#steps[i], 1, this.network.params[i].value);
      }
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      this.#status = 'failed';
      this.#reason = `step ${this.step}: ${error.message}`;
    }
  }

  #evaluate(phase: readonly number[], fresh: boolean): number {
    const outputs = this.network.forward(this.#batch.inputs, fresh);
    const loss = this.#loss.evaluate(outputs, this.#batch.targets, this.#outputGradient);
    this.network.backward(this.#outputGradient, this.#optimizer.needs, phase);
    this.#context.gaussNewton = this.network.gaussNewton;
    return loss;
  }

  #diverges(loss: number): boolean {
    this.#lastLoss = loss;
    if (this.step === 1) this.#firstLoss = loss;
    if (Number.isFinite(loss) && !(loss > this.#o.divergence * (Math.abs(this.#firstLoss) || 1))) return false;
    this.#status = 'diverged';
    this.#reason = `step ${this.step}: the loss is ${loss}, from ${this.#firstLoss} at the start`;
    return true;
  }

  #finish(): void {
    const finite = this.network.params.every(({ value }) => Number.isFinite(norm(value)));
    this.#status = finite ? 'done' : 'diverged';
    if (!finite) this.#reason = `step ${this.step}: a parameter is not finite`;
  }

  /** Adds a point to every curve. A metric that cannot be computed, as after divergence, is NaN there. */
  #measure(): void {
    if (this.step > 0) add(this.#curves[LOSS], this.step, this.#lastLoss);
    for (const [name, metric] of this.#metrics) add(this.#curves[name], this.step, valueOf(metric, this.network));
    this.#at.push(this.#trainingSeconds);
    this.#onPoint?.(this);
  }
}

function savedCurve(name: string, arrays: Checkpoint['arrays']): Matrix {
  const saved = arrays[`curves/${name}`];
  if (saved?.rows !== 2) throw new ArgumentError(`the checkpoint has no curve of ${name}; resume with the metrics it was made with`);
  return saved;
}

function add(curve: Curve, step: number, value: number): void {
  curve.steps.push(step);
  curve.values.push(value);
}

function valueOf(metric: Metric, network: Network): number {
  try {
    return metric(network);
  } catch (error) {
    if (error instanceof NumericalError) return NaN;
    throw error;
  }
}

function requireFit(task: Task, network: Network, metrics: Readonly<Record<string, Metric>>): void {
  for (const key of ['inputs', 'outputs', 'dtype'] as const)
    if (task[key] !== network[key])
      throw new ArgumentError(`train: the task's ${key} are ${task[key]}, the network's ${network[key]}; they must agree`);
  if (LOSS in metrics) throw new ArgumentError(`train: the metric name '${LOSS}' is taken by the batch loss`);
}

function chooseOrder(wanted: Order | undefined, { name, order: fixed }: Optimizer): Order {
  if (wanted !== undefined && fixed !== undefined && wanted !== fixed)
    throw new OptionsError('train', [{ path: 'order', value: wanted, message: `${name} is defined in order '${fixed}'; got '${wanted}'` }]);
  return wanted ?? fixed ?? 'simultaneous';
}

/** Parameter indices that move together, in turn. */
function phasesOf({ params }: Network, order: Order): readonly (readonly number[])[] {
  const all = params.map((_, i) => i);
  if (order === 'simultaneous') return [all];
  const layers = [...new Set(params.map((p) => p.layer))].sort((a, b) => (order === 'alternating' ? a - b : b - a));
  return layers.map((layer) => all.filter((i) => params[i].layer === layer));
}
