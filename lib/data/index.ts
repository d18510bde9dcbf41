export { covariance, covarianceSchema, spectrum, type CovarianceOptions } from './covariance.js';
export { readIdx, readImageFolder, type Idx, type ImageFolder, type LabelledImages } from './idx.js';
export {
  FASHION_MNIST,
  imageClassification,
  imageClassificationSchema,
  type ImageClassificationOptions,
  type ImageTask,
} from './images.js';
export { linearRepresentation, linearRepresentationSchema, type LinearRepresentationOptions } from './linearRepresentation.js';
