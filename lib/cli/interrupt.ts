/** Ctrl-C, and SIGTERM: the first asks for an orderly end, the second ends at once. */
export interface Interrupt {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** Aborted by the second. */
  readonly atOnce: AbortSignal;
  /** Begins to listen: until then signals end the process, as they do by default. */
  readonly listen: () => void;
  /** Lets signals have their default effect again. */
  readonly release: () => void;
}

export const INTERRUPTED = 130;

interface InterruptOptions {
  /** Milliseconds that the second signal leaves to those who listen for it, before the process ends. */
  readonly grace?: number;
  /** Called when the first has come. */
  readonly onFirst?: () => void;
  /** Only once `listen` is called: after work that cannot hear of signals, and may be ended at any moment. */
  readonly later?: boolean;
}

export function catchInterrupt({ grace = 0, onFirst, later = false }: InterruptOptions = {}): Interrupt {
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
  const listen = (): void => void process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (!later) listen();
  return {
    listen,
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
