/** Ctrl-C, and SIGTERM: the first asks for an orderly end, the second ends at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Lets signals have their default effect again. */
  readonly release: () => void;
}

export const INTERRUPTED = 130;

export function catchInterrupt(): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}

/** The command that continues this one, as the user would type it. */
export function command(): string {
  if (process.env['npm_lifecycle_event'] === 'start') return 'npm start';
  return ['layerwise', ...process.argv.slice(2)].map((a) => (/^[\w./:=@+-]+$/.test(a) ? a : `'${a.replaceAll("'", `'\\''`)}'`)).join(' ');
}
