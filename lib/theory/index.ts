export { alignment, bestLambda, type Alignment, type AlignmentOptions, type BestLambdaOptions } from './alignment.js';
export { effectiveRidge, type EffectiveRidge } from './effectiveRidge.js';
export { featureMoments } from './features.js';
export { marchenkoPastur, type MarchenkoPastur, type MarchenkoPasturOptions } from './marchenkoPastur.js';
export { teacherMoments, type Teacher, type TeacherMoments } from './moments.js';
export { spikedCovariance, spikedMatrix, type Spike, type SpikedMatrix } from './spikes.js';
