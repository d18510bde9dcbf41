/**
 * layerwise: layer-wise preconditioned optimisation and the statistics of feature learning, over a native BLAS/LAPACK core.
 * README.md has a first program and the way from the paper's equations to these functions.
 */

// Linear algebra
export {
  ColouredRows,
  Colouring,
  Matrix,
  SignMatrix,
  addToDiagonal,
  axpby,
  cholesky,
  choleskySolve,
  copy,
  dampedSolve,
  denseRows,
  dot,
  ema,
  gemm,
  gemmInto,
  gemv,
  gramSingularValues,
  hadamard,
  leastSquares,
  lu,
  luSolve,
  norm,
  qr,
  readNpy,
  readNpz,
  ridgePath,
  rowsGram,
  rowsTimes,
  scale,
  setThreads,
  shiftedSolve,
  singularValues,
  solve,
  svd,
  symm,
  symmetricEigen,
  symmetricEigenRange,
  symmetricEigenvalues,
  symmetricFunction,
  syrk,
  syrkInto,
  systemInfo,
  timesRows,
  topEigen,
  topRightSingularVectors,
  trace,
  transpose,
  trsm,
  writeNpy,
  writeNpz,
} from './linalg/index.js';
export type {
  Dtype,
  Floats,
  GemmOptions,
  GemvOptions,
  LeastSquares,
  Lu,
  Operands,
  Qr,
  Rows,
  ShiftedSolutions,
  Svd,
  SymmOptions,
  SymmetricEigen,
  SyrkOptions,
  SystemInfo,
  TopEigen,
  TrsmOptions,
} from './linalg/index.js';

// Random streams
export { Stream, haar, orthonormalRows, type StreamState } from './random/index.js';

// Data, networks, losses
export {
  FASHION_MNIST,
  imageClassification,
  indexModel,
  linearRepresentation,
  readIdx,
  readImageFolder,
  type CovarianceOptions,
  type Idx,
  type ImageClassificationOptions,
  type ImageFolder,
  type ImageTask,
  type IndexModelOptions,
  type LinearRepresentationOptions,
} from './data/index.js';
export {
  denseCurvatureOf,
  jacobian,
  multilayerPerceptron,
  sequential,
  twoLayer,
  type MultilayerPerceptronOptions,
  type SequentialOptions,
  type TwoLayerOptions,
} from './networks/index.js';
export { logistic, softmaxCrossEntropy, squared } from './losses/index.js';
export { linkOf, type Link, type LinkOptions } from './links/index.js';

// Optimisers and schedules
export {
  adam,
  adamw,
  amgd,
  clipped,
  ekfac,
  foof,
  gaussNewton,
  grafted,
  groups,
  kfac,
  layerwise,
  muon,
  naturalGradient,
  preset,
  presets,
  sgd,
  shampoo,
  soap,
} from './optimizers/index.js';
export type {
  AdamOptions,
  AdamwOptions,
  AmgdOptions,
  ClippedOptions,
  EkfacOptions,
  FoofOptions,
  GaussNewtonOptions,
  GraftedOptions,
  GroupsOptions,
  KfacOptions,
  LayerwiseOptions,
  MuonOptions,
  NaturalGradientOptions,
  PresetName,
  SgdOptions,
  ShampooOptions,
  SoapOptions,
} from './optimizers/index.js';
export { constant, cosine, inverseTime, warmup } from './schedules/index.js';

// Training
export {
  Evaluation,
  Training,
  decodeCheckpoint,
  encodeCheckpoint,
  encodeState,
  restoreState,
  train,
  trainAsync,
  type Checkpoint,
  type EvaluationParts,
  type TrainAsyncOptions,
  type TrainOptions,
} from './train/index.js';

// Metrics
export {
  accuracy,
  bootstrapInterval,
  censoredLine,
  directionAngle,
  directionOverlap,
  directionShare,
  distanceBetween,
  finiteSampleTransferLoss,
  mean,
  meanLoss,
  median,
  populationLoss,
  principalAngles,
  quantile,
  standardError,
  subspaceDistance,
  transferExcess,
  transferLoss,
  type CensoredLine,
  type CensoredPoint,
  type Interval,
  type Overlap,
} from './metrics/index.js';

// Theory
export {
  alignment,
  bestLambda,
  effectiveRidge,
  featureMoments,
  marchenkoPastur,
  spikedCovariance,
  spikedMatrix,
  teacherMoments,
  type Alignment,
  type AlignmentOptions,
  type BestLambdaOptions,
  type EffectiveRidge,
  type MarchenkoPastur,
  type MarchenkoPasturOptions,
  type Spike,
  type SpikedMatrix,
  type Teacher,
  type TeacherMoments,
} from './theory/index.js';

// Experiments
export {
  defineExperiment,
  parseConfig,
  registerExperiment,
  runExperiment,
  type AnyConfig,
  type Experiment,
  type ExperimentName,
  type ExperimentRecord,
  type Experiments,
  type ParsedConfig,
  type Provenance,
  type RunOptions,
} from './experiments/index.js';
/** Schemas of experiments of one's own. */
export { z } from 'zod';

// Sweeps
export { localExecutor, openStore, sweep, trial, type Store } from './sweep/index.js';
export type {
  Best,
  ConfigOf,
  Executor,
  ExportOptions,
  FailureReport,
  ObjectiveInput,
  Progress,
  Query,
  Result,
  Scored,
  Status,
  StoredCurve,
  StoredTrial,
  StoreOptions,
  SweepOptions,
  SweepRun,
  SweepSpec,
  SweepSummary,
  Trial,
  TrialState,
} from './sweep/index.js';

// Errors and the types between modules
export {
  ArgumentError,
  FileError,
  LayerwiseError,
  LibraryError,
  NumericalError,
  OptionsError,
  type NumericalCode,
  type OptionIssue,
} from './errors.js';
export type * from './types.js';
