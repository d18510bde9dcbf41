/** The training loop: draw a batch, evaluate, update, apply; metrics now and then; stop on budget, divergence or failure. */
import { z } from 'zod';
import { ArgumentError, NumericalError } from '../errors.js';
import { Matrix, axpby, norm } from '../linalg/index.js';
import { squared } from '../losses/index.js';
import { parseOptions, positive, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { Loss, Metric, Network, Optimizer, OptimizerState, Order, RunRecord, RunStatus, Task, UpdateEvent } from '../types.js';
import { batchesOf, factorWidth, PrefetchedBatches, type Batches } from './batches.js';
import { flatten, requireFit as requireCheckpointFit, requireNothingElse, restore, type Checkpoint } from './checkpoint.js';
import { Evaluation } from './evaluation.js';
import { Measurements } from './measurements.js';
import { chooseOrder, phasesOf, requireFit, requireParts, requireTarget } from './parts.js';

/** The part of the options that is plain data, with its defaults. */
export const trainSchema = z.strictObject({
  /** Samples a step, fresh each time. */
  batch: size().default(1024),
  /** Steps in all. */
  steps: size().default(300),
  /** Stop after this many seconds of training (metrics not counted), whichever comes first. */
  seconds: positive().optional(),
  /** The run is done at the first metric point with this metric at or below this value. */
  target: z.strictObject({ metric: z.string().min(1), below: z.number() }).optional(),
  /** How layers take turns; by default as the optimiser's definition says, else simultaneous. */
  order: z.enum(['simultaneous', 'alternating', 'alternating-backward']).optional(),
  /** Steps between two points of the metrics' curves, which also have one at the start and at the end. */
  every: size().default(10),
  /** Also measure what each layer's update and preconditioner are like, at the same steps. */
  telemetry: z.boolean().default(false),
  /** The run counts as diverged once its loss is not finite, or above this many times the first batch's. */
  divergence: positive().default(1e6),
  /** Make the next batches on another core while this one trains: the same draws, the same results. For the tasks of this package. */
  prefetch: z.boolean().optional(),
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

/** A run that can be advanced step by step. `train` drives one to its end. */
export class Training {
  readonly network: Network;
  readonly #o: z.output<typeof trainSchema>;
  readonly #task: Task;
  readonly #optimizer: Optimizer;
  readonly #onPoint: ((training: Training) => void) | undefined;
  readonly #stream: Stream;
  readonly #labels: Stream;
  readonly #batches: Batches;
  readonly #steps: Matrix[];
  readonly #phases: readonly (readonly number[])[];
  readonly #order: Order;
  readonly #state: OptimizerState;
  readonly #evaluation: Evaluation;
  readonly #measurements: Measurements;

  #firstLoss = NaN;
  #lastLoss = NaN;
  /** Whether the present step was taken whole. */
  #stepTaken = false;
  #trainingSeconds = 0;
  #status: RunStatus | null = null;
  #reason: string | undefined;

  /** @throws OptionsError or ArgumentError when options do not fit each other */
  constructor(options: TrainOptions) {
    const {
      task,
      network,
      optimizer,
      loss = squared,
      metrics = {},
      onPoint,
      resume,
      ...plain
    } = (options as TrainOptions | undefined) ?? ({} as TrainOptions);
    requireParts({ task, network, optimizer, loss, metrics });
    this.#o = parseOptions(trainSchema, plain, 'train');
    requireFit(task, network, loss, optimizer);
    requireTarget(this.#o.target, metrics);
    this.network = network;
    this.#task = task;
    this.#optimizer = optimizer;
    this.#measurements = new Measurements(metrics);
    this.#onPoint = onPoint;
    this.#order = chooseOrder(this.#o.order, optimizer);
    this.#phases = phasesOf(network, this.#order);
    this.#stream = new Stream(this.#o.seed).substream('batches');
    this.#labels = new Stream(this.#o.seed).substream('labels of the model');
    const width = factorWidth(network);
    this.#batches = this.#o.prefetch === true ? new PrefetchedBatches(task, this.#o.batch, width) : batchesOf(task, this.#o.batch, width);
    this.#steps = network.params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
    this.#state = optimizer.init(network.params);
    this.#evaluation = new Evaluation({ network, loss, optimizer, labels: this.#labels });
    if (resume === undefined) this.#measure();
    else this.#restore(resume);
    if (this.finished) this.#endBatches();
  }

  /** Steps completed. */
  get step(): number {
    return this.#evaluation.step;
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
    if (this.finished) this.#endBatches();
    return !this.finished;
  }

  /** Ends an unfinished run early; its checkpoint can be resumed. */
  stop(reason: string): void {
    if (this.finished) return;
    this.#status = 'stopped';
    this.#reason = reason;
    this.#endBatches();
  }

  #endBatches(): void {
    if (this.#batches instanceof PrefetchedBatches) this.#batches.end();
  }

  record(): RunRecord {
    return {
      status: this.#status ?? 'stopped',
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      steps: this.step,
      metrics: structuredClone(this.#measurements.curves),
      ...(this.#evaluation.events.length === 0 ? {} : { events: [...this.#evaluation.events] }),
      timing: { trainingSeconds: this.#trainingSeconds, at: [...this.#measurements.at] },
    };
  }

  /** Everything a later run needs to go on from here, bit for bit. */
  checkpoint(): Checkpoint {
    const arrays = this.#measurements.arrays();
    for (const { name, value } of this.network.params) arrays[`params/${name}`] = value.clone();
    flatten(this.network.state, 'network', arrays);
    flatten(this.#state, 'optimizer', arrays);
    flatten({ ...this.#clock(), at: Float64Array.from(this.#measurements.at) }, 'loop', arrays);
    const events = JSON.stringify(this.#evaluation.events);
    return { arrays, about: { ...this.#about(), status: this.#status ?? 'running', reason: this.#reason ?? '', events } };
  }

  #clock(): Record<string, number> {
    return {
      step: this.step,
      position: this.#stream.state.position,
      labelsPosition: this.#labels.state.position,
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
    requireNothingElse(this.#state, 'optimizer', arrays);
    this.#measurements.requireFit(arrays);
    for (const [tree, path] of parts) restore(tree, path, arrays);
    this.#evaluation.step = clock['step'];
    this.#stream.seek(clock['position']);
    this.#labels.seek(clock['labelsPosition']);
    this.#firstLoss = clock['firstLoss'];
    this.#lastLoss = clock['lastLoss'];
    this.#trainingSeconds = clock['trainingSeconds'];
    this.#measurements.restore(arrays, arrays['loop/at']);
    this.#evaluation.events.push(...(JSON.parse(String(about['events'])) as UpdateEvent[]));
    this.#restoreStatus(about);
  }

  /** A run that diverged or failed stays so; one that was done goes on only where its budget has grown. */
  #restoreStatus({ status, reason }: Checkpoint['about']): void {
    if (status === 'diverged' || status === 'failed') {
      this.#status = status;
      this.#reason = String(reason);
    } else if (this.step >= this.#o.steps || this.#trainingSeconds >= (this.#o.seconds ?? Infinity) || this.#onTarget())
      this.#status = 'done';
  }

  #takeStep(): void {
    const { batch, draw } = this.#batches;
    draw(this.#stream);
    this.#evaluation.step++;
    this.#stepTaken = false;
    try {
      for (let p = 0; p < this.#phases.length; p++) {
        const phase = this.#phases[p];
        const loss = this.#evaluation.evaluate(batch, phase, p === 0);
        if (p === 0 && this.#diverges(loss)) return;
        this.#optimizer.update(this.#evaluation, this.#state, this.#steps, phase);
        for (const i of phase) axpby(1, this.#steps[i], 1, this.network.params[i].value);
      }
      this.#stepTaken = true;
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      this.#status = 'failed';
      this.#reason = `step ${this.step}: ${error.message}`;
    }
  }

  #diverges(loss: number): boolean {
    this.#lastLoss = loss;
    if (this.step === 1) this.#firstLoss = loss;
    if (Number.isFinite(loss) && !(loss > this.#o.divergence * (Math.abs(this.#firstLoss) || 1))) return false;
    this.#status = 'diverged';
    this.#reason = `step ${this.step}: the loss is ${loss}, from ${this.#firstLoss} at the start`;
    return true;
  }

  /** Whether the last metric point is where the run was to get. */
  #onTarget(): boolean {
    const { target } = this.#o;
    return target !== undefined && this.#measurements.curves[target.metric].values.at(-1)! <= target.below;
  }

  #finish(): void {
    const finite = this.network.params.every(({ value }) => Number.isFinite(norm(value)));
    this.#status = finite ? 'done' : 'diverged';
    if (!finite) this.#reason = `step ${this.step}: a parameter is not finite`;
  }

  #measure(): void {
    this.#measurements.measure(this.step, this.#trainingSeconds, this.#lastLoss, this.network);
    // Of a step that was not taken, as at divergence, there is nothing to tell.
    if (this.#o.telemetry && this.#stepTaken) this.#measurements.inspect(this.#evaluation, this.#steps, this.#optimizer, this.#state);
    if (!this.finished && this.#onTarget()) this.#finish();
    this.#onPoint?.(this);
  }
}
