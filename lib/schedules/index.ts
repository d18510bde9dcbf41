/** Schedules of a hyper-parameter over steps t = 1, 2, ... An option that takes a number and says so takes one of these. */
export { constant } from './constant.js';
export { cosine } from './cosine.js';
export { inverseTime } from './inverseTime.js';
export { warmup } from './warmup.js';
