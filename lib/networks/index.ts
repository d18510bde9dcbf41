export { twoLayer, twoLayerSchema, type TwoLayerOptions } from './twoLayer.js';
export { multilayerPerceptron, multilayerPerceptronSchema, type MultilayerPerceptronOptions } from './multilayerPerceptron.js';
export { sequential, sequentialSchema, type SequentialOptions } from './sequential.js';
export { denseCurvatureOf, jacobian } from './jacobian.js';
