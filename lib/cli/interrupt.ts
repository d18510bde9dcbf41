/** Ctrl-C, and SIGTERM: the first asks for an orderly end, the second ends at once. */
export interface Interrupt {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** Aborted by the second. */
  readonly atOnce: AbortSignal;
  /** Lets signals have their default effect again. */
  readonly release: () => void;
}

export const INTERRUPTED = 130;

/** @param grace  milliseconds that the second signal leaves to those who listen for it, before the process ends
 *  @param onFirst  called when the first has come */
export function catchInterrupt({ grace = 0, onFirst }: { readonly grace?: number; readonly onFirst?: () => void } = {}): Interrupt {
  const [first, second] = [new AbortController(), new AbortController()];
  const onSignal = (): void => {
    if (!first.signal.aborted) {
      first.abort();
      onFirst?.();
      return;
    }
    second.abort();
    if (grace === 0) process.exit(INTERRUPTED);
    setTimeout(() => process.exit(INTERRUPTED), grace).unref();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: first.signal,
    atOnce: second.signal,
    release: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}

/** The command that continues this one, as the user would type it. */
export function command(): string {
  if (process.env['npm_lifecycle_event'] === 'start') return 'npm start';
  return ['layerwise', ...process.argv.slice(2)].map((a) => (/^[\w./:=@+-]+$/.test(a) ? a : `'${a.replaceAll("'", `'\\''`)}'`)).join(' ');
}
