export { covariance, covarianceSchema, spectrum, type CovarianceOptions } from './covariance.js';
export { haar, orthonormalRows } from './haar.js';
export { linearRepresentation, linearRepresentationSchema, type LinearRepresentationOptions } from './linearRepresentation.js';
