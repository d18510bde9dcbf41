export { Stream, type StreamState } from './stream.js';
