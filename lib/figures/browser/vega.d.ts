/** The global of Vega's build, which the page holds before its own script. */
declare const vega: typeof import('vega');
