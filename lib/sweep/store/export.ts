/**
 * A store as a table for other programs: one row a trial, or one a point of the curves. Rows come in the order of planning and say
 * nothing of when and where a trial ran unless asked, so that two runs of one specification export the same bytes.
 */
import type { Database } from 'better-sqlite3';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { csvLine, type Cell } from '../../csv.js';
import { stringify } from '../../json.js';
import { leaves } from '../../paths.js';
import { RESULT_STATES } from '../states.js';
import { curves, metricNames, trials, type Query, type StoredTrial } from './query.js';

export const FORMATS = ['csv', 'parquet', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface ExportOptions extends Query {
  readonly format: Format;
  /** One row a point of every curve instead of one a trial. */
  readonly curves?: boolean;
  /** Also when and where it ran: seconds, host, start, attempts, and the package's and library's versions. Differs from run to run. */
  readonly provenance?: boolean;
}

type Row = Readonly<Record<string, Cell>>;

export function exportTable(db: Database, { format, curves: long = false, provenance = false, ...query }: ExportOptions): Uint8Array {
  if (format === 'json') return json(db, { long, provenance, query });
  const names = long ? [] : metricNames(db);
  const rows = long ? [...curveRows(db, query)] : [...trialRows(db, { names, provenance, query })];
  const keys = columnsOf(rows);
  return format === 'csv' ? csvOf(keys, rows) : parquetOf(keys, rows);
}

function* trialRows(
  db: Database,
  { names, provenance, query }: { names: readonly string[]; provenance: boolean; query: Query },
): Generator<Row> {
  const where = provenance ? whereabouts(db) : undefined;
  for (const trial of trials(db, query))
    yield {
      id: trial.id,
      experiment: trial.config.experiment,
      role: trial.role,
      state: trial.state,
      reason: reasonOf(trial),
      steps: trial.steps,
      ...Object.fromEntries(names.map((name) => [`final.${name}`, trial.final[name]])),
      ...cells(trial),
      ...where?.(trial),
    };
}

/** Of a result. What a failed process said may differ from time to time. */
const reasonOf = ({ state, reason }: StoredTrial): string | null => ((RESULT_STATES as readonly string[]).includes(state) ? reason : null);

/** The configuration, one column for every number and word in it. */
function cells({ config }: Pick<StoredTrial, 'config'>): Row {
  const all = Object.entries(leaves(config)).filter(([path]) => path !== 'experiment');
  return Object.fromEntries(all.map(([path, value]) => [`config.${path}`, cellOf(value)]));
}

const cellOf = (value: unknown): Cell =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value) ? (value as Cell) : stringify(value);

function* curveRows(db: Database, query: Query): Generator<Row> {
  for (const metric of metricNames(db))
    for (const { id, seed, role, state, steps, values } of curves(db, metric, query))
      for (let i = 0; i < steps.length; i++) yield { id, seed, role, state, metric, step: steps[i], value: values[i] };
}

function whereabouts(db: Database): (trial: StoredTrial) => Row {
  const find = db.prepare<[Uint8Array], { engine: string; host: string; started: number; attempts: number; provenance: string | null }>(
    `SELECT a.engine, a.host, a.started, (SELECT count(*) FROM attempts WHERE trial = t.id) AS attempts, p.text AS provenance
     FROM trials t JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE trial = t.id)
     LEFT JOIN results r ON r.trial = t.id LEFT JOIN provenances p ON p.id = r.provenance WHERE t.digest = ?`,
  );
  return ({ id, seconds }) => {
    const found = find.get(Buffer.from(id, 'hex'));
    if (found === undefined) return { 'run.seconds': null };
    const { provenance, ...rest } = found;
    const about = { seconds, ...rest, ...(provenance === null ? {} : (JSON.parse(provenance) as Row)) };
    return Object.fromEntries(Object.entries(about).map(([key, value]) => [`run.${key}`, value]));
  };
}

/** Every key of any row, in the order of first appearance, configurations' keys in alphabetical order after the rest. */
function columnsOf(rows: readonly Row[]): string[] {
  const keys = new Set<string>();
  let last: string | undefined;
  for (const row of rows) {
    const own = Object.keys(row);
    const shape = own.join('\n');
    if (shape === last) continue;
    last = shape;
    for (const key of own) keys.add(key);
  }
  const of = (prefix: string): string[] => [...keys].filter((k) => k.startsWith(prefix));
  return [...[...keys].filter((k) => !/^(config|run)\./.test(k)), ...of('config.').sort(), ...of('run.')];
}

function csvOf(keys: readonly string[], rows: readonly Row[]): Uint8Array {
  if (rows.length === 0) return new Uint8Array();
  const parts = [csvLine(keys)];
  for (const row of rows) parts.push(csvLine(keys.map((k) => row[k])));
  return Buffer.from(parts.join(''));
}

/** Numbers are doubles, truth values booleans, all else and mixed columns strings. */
function parquetOf(keys: readonly string[], rows: readonly Row[]): Uint8Array {
  const columnData = keys.map((name): ColumnSource => {
    const data = rows.map((row) => row[name] ?? null);
    const kinds = new Set(data.filter((v) => v !== null).map((v) => typeof v));
    if (kinds.size === 1 && kinds.has('number')) return { name, data, type: 'DOUBLE', nullable: true };
    if (kinds.size === 1 && kinds.has('boolean')) return { name, data, type: 'BOOLEAN', nullable: true };
    return { name, data: data.map((v) => (v === null ? null : String(v))), type: 'STRING', nullable: true };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function json(db: Database, { long, provenance, query }: { long: boolean; provenance: boolean; query: Query }): Uint8Array {
  const where = provenance ? whereabouts(db) : undefined;
  const curvesOf = long ? allCurves(db, query) : undefined;
  const lines = [...trials(db, query)].map((trial) => {
    const { id, config, role, state, steps, final } = trial;
    const run = where?.(trial);
    return stringify({
      id,
      config,
      role,
      state,
      reason: reasonOf(trial),
      steps,
      final,
      ...(curvesOf === undefined ? {} : { curves: curvesOf.get(id) ?? {} }),
      ...(run === undefined ? {} : { run: Object.fromEntries(Object.entries(run).map(([key, value]) => [key.slice(4), value])) }),
    });
  });
  return Buffer.from(lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`);
}

function allCurves(db: Database, query: Query): Map<string, Record<string, { steps: number[]; values: number[] }>> {
  const all = new Map<string, Record<string, { steps: number[]; values: number[] }>>();
  for (const metric of metricNames(db))
    for (const { id, steps, values } of curves(db, metric, query)) {
      const own = all.get(id) ?? {};
      own[metric] = { steps: [...steps], values: [...values] };
      all.set(id, own);
    }
  return all;
}
