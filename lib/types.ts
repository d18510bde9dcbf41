/**
 * The vocabulary between modules: data, networks, optimisers, metrics and the training loop know each other only through these
 * types. Shapes: n samples a batch, one a row; weights are out x in.
 */
import type { Dtype, Matrix } from './linalg/index.js';
import type { Stream } from './random/index.js';

// ---- Data ----

export interface Batch {
  /** n x inputs. */
  readonly inputs: Matrix;
  /** n x outputs. */
  readonly targets: Matrix;
}

/** A distribution of (input, target) pairs. */
export interface Task {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly dtype: Dtype;
  /** Fills the batch with fresh samples from the stream. Allocates nothing after the first call at a batch size. */
  sample(stream: Stream, batch: Batch): void;
}

/** A covariance of the inputs, in float64. */
export interface Covariance {
  /** d eigenvalues, descending, mean 1. */
  readonly eigenvalues: Float64Array;
  /** d x d. */
  readonly matrix: Matrix;
  /** d x d symmetric square root. */
  readonly root: Matrix;
  /** True when the matrix is diagonal (identity eigenbasis), so that a sample costs d and not d^2. */
  readonly diagonal: boolean;
}

/** One linear teacher y = head features x + e, x ~ covariance, e ~ N(0, noise^2 I). */
export interface LinearTeacher extends Task {
  /** k x inputs, orthonormal rows: G*. */
  readonly features: Matrix;
  /** outputs x k: F*. */
  readonly head: Matrix;
  readonly covariance: Covariance;
  /** Standard deviation of e. */
  readonly noise: number;
}

/** Linear representation learning: a training teacher and a transfer teacher that shares its features. */
export interface RepresentationTask extends LinearTeacher {
  readonly transfer: LinearTeacher;
}

// ---- Networks ----

/** A trainable array. Weights are out x in; vectors are 1 x d. */
export interface Parameter {
  readonly name: string;
  readonly value: Matrix;
  /** The layer it belongs to, from 0 at the input: parameters of one layer move together in alternating order. */
  readonly layer: number;
  /** Only weights have layer statistics; vectors (batch-norm scale and shift) have none. */
  readonly role: 'weight' | 'vector';
}

export type Params = readonly Parameter[];

/** Which matrix stands for the curvature on a layer's output side. */
export type OutputFactor = 'ggn' | 'none';

/** What an optimiser asks of the network beside gradients. */
export interface Needs {
  readonly inputs: boolean;
  readonly outputFactor: OutputFactor;
  /** The dense Gauss-Newton matrix of all parameters. */
  readonly gaussNewton: boolean;
}

/** What a weight layer reports after a backward pass. */
export interface LayerStats {
  /** n x in: the layer's input batch. */
  readonly inputs: Matrix;
  /** out x out: the mean output factor, or null where it is the identity or was not asked for. */
  readonly outputFactor: Matrix | null;
}

export interface Loss {
  readonly name: string;
  /** Mean loss over the batch; writes its gradient with respect to the outputs (n x outputs) into `gradient`. */
  evaluate(outputs: Matrix, targets: Matrix, gradient: Matrix): number;
}

/** Of an identity-activation network in evaluation mode: f(x) = weight x + bias. */
export interface AffineMap {
  /** outputs x inputs. */
  readonly weight: Matrix;
  /** outputs x 1. */
  readonly bias: Matrix;
}

/** A network with buffers for one batch size; results of a pass stay valid until the next. */
export interface Network {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly dtype: Dtype;
  readonly params: Params;
  /** One a parameter, of its shape. */
  readonly gradients: readonly Matrix[];
  /** One a parameter; null for vectors. */
  readonly stats: readonly (LayerStats | null)[];
  /** p x p over all parameters in order, after a backward pass that asked for it; else null. */
  readonly gaussNewton: Matrix | null;
  /** The first layer's weight, hidden x inputs: the features the paper's metrics judge. */
  readonly features: Matrix;
  /** Activation of the features; metrics in closed form need 'identity'. */
  readonly activation: string;
  /** Forward pass in training mode. `fresh` is false for a batch that has been seen already in this step: running statistics
   *  stay. @returns n x outputs, a held buffer */
  forward(inputs: Matrix, fresh?: boolean): Matrix;
  /** Backward pass for the parameters listed, from the gradient with respect to the last forward's outputs. */
  backward(outputGradient: Matrix, needs: Needs, parameters: readonly number[]): void;
  /** Forward pass in evaluation mode (running statistics), for any number of rows. @returns a new matrix */
  predict(inputs: Matrix): Matrix;
  /** The map it computes in evaluation mode; null when an activation makes it nonlinear. A held buffer. */
  affineMap(): AffineMap | null;
  /** State beside the parameters (running statistics), for checkpoints. */
  readonly state: Readonly<Record<string, Matrix>>;
}

// ---- Optimisers ----

/** How layers take turns in a step: all at once, or one after another with the network re-evaluated in between. */
export type Order = 'simultaneous' | 'alternating' | 'alternating-backward';

/** A hyper-parameter that may change over the steps. */
export interface Schedule {
  /** Its value at step t, counted from 1. */
  at(step: number): number;
}

/** What an update sees. One object a run, its fields moved on by the loop. */
export interface UpdateContext {
  /** Counted from 1. */
  readonly step: number;
  readonly params: Params;
  readonly gradients: readonly Matrix[];
  readonly stats: readonly (LayerStats | null)[];
  readonly gaussNewton: Matrix | null;
}

/** State that survives a checkpoint: numbers, typed arrays and matrices in plain objects and arrays. Fields named `work` are scratch
 *  and are not saved. */
export type OptimizerState = object;

export interface Optimizer<S extends OptimizerState = OptimizerState> {
  readonly name: string;
  readonly needs: Needs;
  /** The order its definition fixes; absent where any will do. */
  readonly order?: Order;
  /** State for these parameters, with every buffer an update needs. @throws OptionsError when options do not fit them */
  init(params: Params): S;
  /** Writes into `steps[i]`, for each i of `which`, what is to be added to parameter i. Allocates nothing. */
  update(context: UpdateContext, state: S, steps: readonly Matrix[], which: readonly number[]): void;
}

// ---- Metrics and records ----

/** A number computed from the network as it stands. */
export type Metric = (network: Network) => number;

/** A metric against steps. */
export interface Curve {
  readonly steps: number[];
  readonly values: number[];
}

/** done: the budget is used up; diverged: the loss left all bounds; failed: an update could not be computed (see reason);
 *  stopped: asked to end early, can be resumed. */
export type RunStatus = 'done' | 'diverged' | 'failed' | 'stopped';

/** What a training run leaves behind. Wall-clock numbers live in `timing` alone. */
export interface RunRecord {
  readonly status: RunStatus;
  /** Why it did not end as done. */
  readonly reason?: string;
  /** Steps completed. */
  readonly steps: number;
  readonly metrics: Readonly<Record<string, Curve>>;
  readonly timing: RunTiming;
}

export interface RunTiming {
  /** Seconds spent training, metrics and checkpoints not counted. */
  readonly trainingSeconds: number;
  /** Training seconds at each metric point. */
  readonly at: readonly number[];
}
