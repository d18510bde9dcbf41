/** A child process of the local executor: takes one trial at a time, sends its record back, and ends with its parent. */
import { runExperiment, type ParsedConfig } from '../../experiments/index.js';

export interface Request {
  readonly id: string;
  readonly config: ParsedConfig;
}
export type Reply =
  { readonly id: string; readonly record: Awaited<ReturnType<typeof runExperiment>> } | { readonly id: string; readonly error: string };

process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole terminal group; the parent decides
process.on('disconnect', () => process.exit(0));
process.on('message', ({ id, config }: Request) => {
  runExperiment(config).then(
    (record) => reply({ id, record }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: Reply): void {
  process.send?.(message);
}
