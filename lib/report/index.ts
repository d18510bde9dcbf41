export { reportData, type ReportData } from './data/reportData.js';
export { page } from './page/page.js';
export { watch, type Watched, type WatchOptions } from './watch.js';
