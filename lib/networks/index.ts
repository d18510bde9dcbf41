export { twoLayer, twoLayerSchema, type TwoLayerOptions } from './twoLayer.js';
