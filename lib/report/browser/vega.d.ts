/** The global of Vega's build, which the page holds before its own script. */
declare const vega: typeof import('vega');
/** Vega's own, made a global by lib/inline.ts. */
declare const expressionInterpreter: unknown;
