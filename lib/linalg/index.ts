export { epsilonOf, Matrix, type Dtype, type Floats } from './matrix.js';
export { gemm, gemmInto, type GemmOptions, type Operands } from './gemm.js';
export { syrk, syrkInto, type SyrkOptions } from './syrk.js';
export { symm, type SymmOptions } from './symm.js';
export { trsm, type TrsmOptions } from './trsm.js';
export { gemv, type GemvOptions } from './gemv.js';
export { addToDiagonal, axpby, copy, divideEntries, dot, ema, hadamard, mirrorLower, norm, scale, trace, transpose } from './entrywise.js';
export { broadcastRow, columnSums, divideByOuterSum, scaleColumns, scaleRows } from './rowsAndColumns.js';
export { SignMatrix } from './signMatrix.js';
export { ColouredRows, Colouring } from './colouredRows.js';
export { projectionOn, rowsGram, rowsTimes, timesRows, denseRows, type Rows } from './rows.js';
export { copyBlock } from './copyBlock.js';
export { cholesky, choleskySolve, dampedSolve } from './cholesky.js';
export { shiftedSolve, type ShiftedSolutions } from './shiftedSolve.js';
export { ridgePath } from './ridge.js';
export { lu, luSolve, solve, type Lu } from './lu.js';
export { orthonormaliseColumns, qr, type Qr } from './qr.js';
export { svd, singularValues, type Svd } from './svd.js';
export {
  fromEigen,
  symmetricEigen,
  symmetricEigenRange,
  symmetricEigenvalues,
  symmetricEigenvaluesInto,
  symmetricFunction,
  type SymmetricEigen,
} from './symmetricEigen.js';
export { gramSingularValues, topEigen, topRightSingularVectors, type TopEigen } from './topEigen.js';
export { leastSquares, type LeastSquares } from './leastSquares.js';
export { adamStep } from './adamStep.js';
export { activate, type ActivationName } from './activate.js';
export { affineRows, batchNormBackward, batchNormForward } from './batchNorm.js';
export { layerNormBackward, layerNormForward } from './layerNorm.js';
export { convolutionOutput, fold, unfold, type ConvolutionShape } from './convolution.js';
export { averagePool, averagePoolBackward, maxPool, maxPoolBackward } from './pooling.js';
export { squaredLoss } from './squaredLoss.js';
export { softmax, softmaxCrossEntropy } from './softmaxCrossEntropy.js';
export { logisticLoss } from './logisticLoss.js';
export { endWithParent, setThreads, systemInfo, type SystemInfo } from './system.js';
export { readNpz, writeNpz, readNpy, writeNpy } from './npy.js';
