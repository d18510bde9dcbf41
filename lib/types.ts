/**
 * The vocabulary between modules: data, networks, optimisers, metrics and the training loop know each other only through these
 * types. Shapes: n samples a batch, one a row; weights are out x in.
 */
import type { ColouredRows, Dtype, Matrix, Rows } from './linalg/index.js';
import type { Link } from './links/index.js';
import type { Stream } from './random/index.js';

// ---- Data ----

export interface Batch<Inputs extends Rows = Matrix> {
  /** n x inputs. */
  readonly inputs: Inputs;
  /** n x targets: values to regress on (n x outputs), or class indices (n x 1). */
  readonly targets: Matrix;
}

/** A distribution of (input, target) pairs. */
export interface Task {
  readonly name: string;
  readonly inputs: number;
  /** Width of a network for it: values to predict, or classes. */
  readonly outputs: number;
  /** Columns of its targets: `outputs` for regression, 1 for class labels. */
  readonly targets: number;
  readonly dtype: Dtype;
  /** How another thread makes the same task; absent where it cannot. */
  readonly origin?: TaskOrigin;
  /** Fills the batch with fresh samples from the stream. Allocates nothing after the first call at a batch size. */
  readonly sample: (stream: Stream, batch: Batch) => void;
  /** A batch of n samples whose inputs stay factors: the same draws as `sample`'s, cheaper to make and to use.
   *  @param width  rows of the first weight  @returns null where multiplying out is cheaper, or inputs are not made of factors */
  colouredBatch?(n: number, width: number): ColouredBatch | null;
}

/** A module's factory and plain options: they give the same task wherever they are put together. */
export interface TaskOrigin {
  /** URL of the module, as import.meta.url has it. */
  readonly module: string;
  /** Name under which it exports the factory. */
  readonly factory: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The task's own `sample`: a task that was given another one is no longer what the factory makes. */
  readonly sample: Task['sample'];
}

export interface ColouredBatch extends Batch<ColouredRows> {
  /** Fills it with fresh samples. Allocates nothing after the first call. */
  readonly draw: (stream: Stream) => void;
}

/** A covariance of the inputs, in float64. */
export interface Covariance {
  /** d eigenvalues, descending, mean 1. */
  readonly eigenvalues: Float64Array;
  /** d x d. */
  readonly matrix: Matrix;
  /** d x d symmetric square root. */
  readonly root: Matrix;
  /** d x d: the covariance to a power, new, in float64 where not said; that of a zero eigenvalue to a negative one is infinite. */
  readonly power: (exponent: number, dtype?: Dtype) => Matrix;
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

/** A single- or multi-index teacher y = r^(-1/2) sum_j s*(beta_j'x) + e, x ~ covariance, e ~ N(0, noise^2). */
export interface IndexTask extends Task {
  /** r x inputs: the beta_j. */
  readonly directions: Matrix;
  /** r x inputs, orthonormal rows that span the directions. */
  readonly features: Matrix;
  readonly covariance: Covariance;
  /** Standard deviation of e. */
  readonly noise: number;
  /** s*. */
  readonly link: Link;
}

// ---- Networks ----

/** A trainable array. Weights are out x in; vectors are 1 x d. */
export interface Parameter {
  readonly name: string;
  readonly value: Matrix;
  /** The layer it belongs to, from 0 at the input: parameters of one layer move together in alternating order. */
  readonly layer: number;
  /** Only weights have layer statistics. A bias belongs to the weight of its layer; vectors are scales and shifts of a
   *  normalisation. */
  readonly role: 'weight' | 'bias' | 'vector';
}

export type Params = readonly Parameter[];

/**
 * Which matrix stands for the curvature on a layer's output side, a mean over samples of g g' with g = d loss / d (layer output):
 *   ggn        type-2 Gauss-Newton: J_i' H_i J_i, J_i the Jacobian of the network's outputs in the layer's, H_i the loss's Hessian
 *   mc         labels drawn from the model, one a sample: an unbiased estimate of ggn for the losses here
 *   empirical  labels of the data: the empirical Fisher, another matrix
 *   none       the identity
 * Through batch-norm, `ggn` and `mc` hold its statistics fixed; `empirical` uses the gradients as they are.
 */
export type OutputFactor = 'ggn' | 'mc' | 'empirical' | 'none';

/** What an optimiser asks of the network beside gradients. */
export interface Needs {
  readonly inputs: boolean;
  readonly outputFactor: OutputFactor;
  /** Also the rows behind the output factor, for methods that rescale in an eigenbasis. */
  readonly outputRows: boolean;
  /** The dense curvature matrix of all parameters: the Gauss-Newton or a Fisher matrix. */
  readonly dense: OutputFactor;
  /** Products with the Gauss-Newton matrix, by `curvatureTimes`. */
  readonly products?: boolean;
}

/** What a weight layer reports for its last batch of n samples. */
export interface LayerStats {
  /** (n positions) x in: the layer's input batch; for a convolution its patches, the positions of a sample one after another. The
   *  first layer's may be factors: `rowsGram`, `timesRows` and `rowsTimes` take both, and `denseRows` multiplies them out. */
  readonly inputs: Rows;
  /** Rows a sample has in `inputs`: 1, or the pixels of a convolution's output. */
  readonly positions: number;
  /** Which output factor was asked for. */
  readonly kind: OutputFactor;
  /** out x out: the mean output factor, or null where it is the identity: under an identity Hessian, or because none was asked for. */
  readonly outputFactor: Matrix | null;
  /** (b n positions) x out, b blocks in the order of the inputs: the g whose outer products make the factor, which is
   *  rows'rows / (n positions); null with the factor. */
  readonly outputRows: Matrix | null;
}

export interface Loss {
  readonly name: string;
  /** Columns of the targets for a network of `outputs` outputs. */
  targets(outputs: number): number;
  /** Mean loss over the batch; writes its gradient with respect to the outputs (n x outputs) into `gradient`. */
  evaluate(outputs: Matrix, targets: Matrix, gradient: Matrix): number;
  /** Whether the Hessian of a sample's loss in its outputs is the identity. */
  readonly identityHessian: boolean;
  /** Column k of a root S_i of each sample's Hessian, H_i = S_i S_i' with as many columns as outputs; n x outputs, written. */
  hessianRoot(outputs: Matrix, k: number, root: Matrix): void;
  /** Row i becomes H_i x_i, in place. @param x  n x outputs; @param work  n x outputs, overwritten */
  hessianTimes(outputs: Matrix, x: Matrix, work: Matrix): void;
  /** Row i becomes the gradient of sample i's loss in its outputs at a label drawn from the model; n x outputs, written. */
  drawGradient(outputs: Matrix, stream: Stream, gradient: Matrix): void;
}

/** Of an identity-activation network in evaluation mode: f(x) = weight x + bias. */
export interface AffineMap {
  /** outputs x inputs. */
  readonly weight: Matrix;
  /** outputs x 1. */
  readonly bias: Matrix;
}

/** What a network needs to know to report statistics. */
export interface StatisticsRequest {
  readonly needs: Needs;
  readonly loss: Loss;
  /** Draws the labels of `mc`. */
  readonly stream: Stream;
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
  /** One a parameter; null for biases and vectors. */
  readonly stats: readonly (LayerStats | null)[];
  /** p x p over all parameters in order, each row by row, after a report that asked for it; else null. */
  readonly dense: Matrix | null;
  /** The first layer's weight, hidden x inputs: the features the paper's metrics judge. */
  readonly features: Matrix;
  /** Activation of the features; metrics in closed form need 'identity'. */
  readonly activation: string;
  /** Forward pass in training mode. `fresh` is false for a batch that has been seen already in this step: running statistics
   *  stay. @returns n x outputs, a held buffer */
  forward(inputs: Rows, fresh?: boolean): Matrix;
  /** Whether `forward` takes inputs that are factors as they are; else they are multiplied out before. */
  readonly takesFactors?: boolean;
  /** Backward pass for the parameters listed, from the gradient with respect to the last forward's outputs (not modified). */
  backward(outputGradient: Matrix, parameters: readonly number[]): void;
  /** Fills `stats` of the parameters listed, and `dense`, for the batch of the last forward and backward passes. Gradients stay. */
  report(request: StatisticsRequest, parameters: readonly number[]): void;
  /** out = C direction, C the Gauss-Newton matrix mean J_i' H_i J_i of the last forward's batch, without forming it.
   *  @param direction  one matrix a parameter; @param out  the same, written */
  curvatureTimes(direction: readonly Matrix[], loss: Loss, out: readonly Matrix[]): void;
  /** Forward pass in evaluation mode (running statistics), for any number of rows. @returns a new matrix */
  predict(inputs: Matrix): Matrix;
  /** The map it computes in evaluation mode; null when an activation makes it nonlinear. A held buffer. */
  affineMap(): AffineMap | null;
  /** Whether a sample's outputs in training depend on the others of its batch (batch-norm): then it has no curvature matrix of all
   *  parameters, nor products with one. */
  readonly mixesSamples: boolean;
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

/** Something an update had to do that its definition does not say: a factorisation that failed and what was done instead. */
export interface UpdateEvent {
  readonly step: number;
  readonly parameter: string;
  readonly message: string;
}

/** What an update sees. One object a run, its fields moved on by the loop. */
export interface UpdateContext {
  /** Counted from 1. */
  readonly step: number;
  readonly params: Params;
  readonly gradients: readonly Matrix[];
  readonly stats: readonly (LayerStats | null)[];
  /** p x p, where it was asked for. */
  readonly dense: Matrix | null;
  /** Mean loss of the batch at the parameters as they are. */
  readonly loss: number;
  /** Mean loss of the same batch with steps[i] added to parameter i, for each i of `which`. Parameters and statistics stay. */
  lossAt(steps: readonly Matrix[], which: readonly number[]): number;
  /** out = C direction with the batch's Gauss-Newton matrix: one matrix a parameter each. */
  curvatureTimes(direction: readonly Matrix[], out: readonly Matrix[]): void;
  /** Puts an event on the record of the run. */
  note(parameter: string, message: string): void;
}

/** State that survives a checkpoint: numbers, typed arrays and matrices in plain objects and arrays. Fields named `work` are scratch
 *  and are not saved. */
export type OptimizerState = object;

export interface Optimizer<S extends OptimizerState = OptimizerState> {
  readonly name: string;
  /** What it asks for at step t, counted from 1. Allocates nothing. */
  readonly needs: (step: number) => Needs;
  /** The order its definition fixes; absent where any will do. */
  readonly order?: Order;
  /** Whether it judges its steps by the loss they lead to (Levenberg-Marquardt), so that they must be taken as they are. */
  readonly judgesSteps?: boolean;
  /** State for these parameters, with every buffer an update needs whose size they decide.
   *  @throws OptionsError when options do not fit them */
  init(params: Params): S;
  /** Writes into `steps[i]`, for each i of `which`, what is to be added to parameter i. Allocates no matrix once a batch size has
   *  been seen.
   *  @param context  of an evaluation made for this optimiser; @param which  all parameters of the layers that move
   *  @throws NumericalError when no step can be computed */
  update(context: UpdateContext, state: S, steps: readonly Matrix[], which: readonly number[]): void;
  /** Numbers that tell how parameter i's preconditioner fares (condition number, effective rank, damping ...); may be costly. */
  inspect?(state: S, i: number): Readonly<Record<string, number>>;
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
  /** What is not against steps: against lambda, say, or a spectrum. */
  readonly tables?: Readonly<Record<string, NumberTable>>;
  /** Fallbacks that updates took; absent where there were none. */
  readonly events?: readonly UpdateEvent[];
  readonly timing: RunTiming;
}

/** Numbers that are not a curve against steps: columns of equal length, by name. */
export type NumberTable = Readonly<Record<string, readonly number[]>>;

export interface RunTiming {
  /** Seconds spent training, metrics and checkpoints not counted. */
  readonly trainingSeconds: number;
  /** Training seconds at each metric point. */
  readonly at: readonly number[];
  /** Training seconds a pass over the data takes, where data are finite. */
  readonly secondsAnEpoch?: number;
}
