export { reportData, type ReportData } from './data.js';
export { page } from './page.js';
export { watch, type Watched, type WatchOptions } from './watch.js';
