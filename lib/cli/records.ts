/** Records for people to read. */
import Table from 'cli-table3';
import type { ExperimentRecord } from '../experiments/index.js';
import { colors as pc } from '../terminal.js';
import type { NumberTable } from '../types.js';

export function summary({ status, reason, steps, metrics, tables = {}, events, timing, config, provenance }: ExperimentRecord): string {
  const rows = Object.entries(metrics).map(
    ([name, { values }]) => `  ${name.padEnd(16)} ${format(values[0]).padStart(12)} -> ${format(values.at(-1) ?? NaN).padStart(12)}`,
  );
  const { trainingSeconds: seconds, secondsAnEpoch } = timing;
  const pace = [
    ...(steps === 1 ? [] : [steps === 0 ? 'no step' : `${Math.round((seconds / steps) * 1e6)} us a step`]),
    ...(secondsAnEpoch === undefined ? [] : [`${secondsAnEpoch.toFixed(2)} s an epoch`]),
  ].join(', ');
  return [
    `${config.experiment}${nameOf(config) === '' ? '' : `, ${nameOf(config)}`}, seed ${config.seed}: ${status === 'done' ? pc.green(status) : pc.yellow(status)}${reason === undefined ? '' : ` (${reason})`}`,
    `  ${steps} step${steps === 1 ? '' : 's'} in ${seconds.toFixed(2)} s${pace === '' ? '' : ` (${pace})`}, ${provenance.kernel} kernel, ${provenance.threads} thread${provenance.threads === 1 ? '' : 's'}`,
    `  ${'metric'.padEnd(16)} ${'first'.padStart(12)}    ${'last'.padStart(12)}`,
    ...rows,
    ...Object.entries(tables).flatMap(([name, columns]) => ['', `  ${name}`, ...tableLines(columns)]),
    ...(events === undefined
      ? []
      : [pc.yellow(`  ${events.length} fallbacks, the first at step ${events[0].step}: ${events[0].parameter}: ${events[0].message}`)]),
    '',
  ].join('\n');
}

/** Rows shown of a table. */
const MOST_ROWS = 24;

/** Columns of numbers, the first rows of long ones. */
function tableLines(columns: NumberTable): string[] {
  const names = Object.keys(columns);
  const count = Math.max(0, ...names.map((n) => columns[n].length));
  const line = (cell: (name: string) => string): string => `  ${names.map((n) => cell(n).padStart(12)).join(' ')}`;
  const rows = Array.from({ length: Math.min(count, MOST_ROWS) }, (_, i) => line((n) => format(columns[n][i] ?? NaN)));
  return [line((n) => n), ...rows, ...(count > MOST_ROWS ? [`  ... ${count - MOST_ROWS} more (--json has all)`] : [])];
}

/** One line a record: its optimiser, how it ended, every metric at the end, and the time it took. */
export function comparison(records: readonly ExperimentRecord[]): string {
  const metrics = [...new Set(records.flatMap((r) => Object.keys(r.metrics).filter((name) => !name.includes('.'))))];
  const epochs = records.some((r) => r.timing.secondsAnEpoch !== undefined);
  const table = new Table({
    head: ['optimiser', 'rate', 'status', ...metrics, epochs ? 's an epoch' : 'seconds'],
    style: { head: [], border: [], compact: true },
  });
  for (const { config, status, metrics: curves, timing } of records)
    table.push([
      nameOf(config),
      rateOf(config),
      status,
      ...metrics.map((name) => format(curves[name]?.values.at(-1) ?? NaN)),
      (timing.secondsAnEpoch ?? timing.trainingSeconds).toFixed(2),
    ]);
  return table.toString();
}

type Optimizer = { readonly name: string; readonly learningRate?: unknown };
/** Of its optimiser; empty where the experiment has none. */
export const nameOf = ({ optimizer }: ExperimentRecord['config']): string => (optimizer as Optimizer | undefined)?.name ?? '';

function rateOf({ optimizer }: ExperimentRecord['config']): string {
  const { learningRate } = optimizer as Optimizer;
  return learningRate === undefined ? '' : JSON.stringify(learningRate);
}

const format = (x: number): string => (Number.isFinite(x) ? x.toPrecision(5) : String(x));
