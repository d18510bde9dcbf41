export { accuracy, meanLoss } from './accuracy.js';
export { censoredLine, type CensoredLine, type CensoredPoint } from './censored.js';
export { directionAngle, directionOverlap, directionShare, type Overlap } from './directions.js';
export { distanceBetween, orthonormalRowsOf, principalAngles, subspaceDistance } from './subspace.js';
export { finiteSampleTransferLoss, populationLoss, transferExcess, transferLoss } from './linearLoss.js';
export { bootstrapInterval, mean, median, quantile, standardError, type Interval } from './statistics.js';
