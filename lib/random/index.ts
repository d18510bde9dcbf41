export { Stream, type StreamState } from './stream.js';
export { haar, orthonormalColumns, orthonormalRows } from './haar.js';
