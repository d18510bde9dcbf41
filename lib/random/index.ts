export { Stream, type StreamState } from './stream.js';
export { SignTable } from './signTable.js';
export { haar, orthonormalColumns, orthonormalRows } from './haar.js';
