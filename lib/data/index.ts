export {
  covariance,
  covarianceSchema,
  diagonalCovariance,
  spectrum,
  spectrumSchema,
  type CovarianceOptions,
  type SpectrumOptions,
} from './covariance.js';
export { indexModel, indexModelSchema, type IndexModelOptions } from './indexModel.js';
export { inputSampler } from './inputs.js';
export { readIdx, readImageFolder, type Idx, type ImageFolder, type LabelledImages } from './idx.js';
export {
  FASHION_MNIST,
  imageClassification,
  imageClassificationSchema,
  type ImageClassificationOptions,
  type ImageTask,
} from './images.js';
export { linearRepresentation, linearRepresentationSchema, type LinearRepresentationOptions } from './linearRepresentation.js';
