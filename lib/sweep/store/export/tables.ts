/** A store as a table: one row a trial, or one a point of the curves, produced one by one however many there are. */
import type { Database } from 'better-sqlite3';
import type { Cell } from '../../../csv.js';
import { stringify } from '../../../json.js';
import { leaves } from '../../../paths.js';
import { RESULT_STATES } from '../../states.js';
import { curves, metricNames, trials, type Query, type StoredTrial } from '../query.js';
import { bytesOfHex } from '../seal.js';

/** What all cells of a column are, where they are not absent; of a mixed column, and of one without any: string. */
export type Kind = 'number' | 'boolean' | 'string';
export type Row = Readonly<Record<string, Cell>>;

export interface Table {
  /** In the order in which they are written. */
  readonly columns: readonly { readonly name: string; readonly kind: Kind }[];
  readonly rows: () => Generator<Row>;
}

/** One row a trial. The rows are looked through once for their columns. @param provenance  also when and where it ran */
export function trialTable(db: Database, query: Query, provenance: boolean): Table {
  const names = metricNames(db);
  const where = provenance ? whereabouts(db) : undefined;
  const rows = function* (): Generator<Row> {
    for (const trial of trials(db, query))
      yield {
        id: trial.id,
        experiment: trial.config.experiment,
        role: trial.role,
        state: trial.state,
        reason: reasonOf(trial),
        steps: trial.steps,
        ...Object.fromEntries(names.map((name) => [`final.${name}`, Object.hasOwn(trial.final, name) ? trial.final[name] : undefined])),
        ...cells(trial),
        ...where?.(trial),
      };
  };
  return { columns: columnsOf(rows()), rows };
}

/** One row a point, metric by metric. */
export function curveTable(db: Database, query: Query): Table {
  const kinds = {
    id: 'string',
    seed: 'number',
    role: 'string',
    state: 'string',
    metric: 'string',
    step: 'number',
    value: 'number',
  } as const;
  return {
    columns: Object.entries(kinds).map(([name, kind]) => ({ name, kind })),
    *rows() {
      for (const metric of metricNames(db))
        for (const { id, seed, role, state, steps, values } of curves(db, metric, query))
          for (let i = 0; i < steps.length; i++) yield { id, seed, role, state, metric, step: steps[i], value: values[i] };
    },
  };
}

/** Of a result. What a failed process said may differ from time to time. */
export const reasonOf = ({ state, reason }: StoredTrial): string | null =>
  (RESULT_STATES as readonly string[]).includes(state) ? reason : null;

/** The configuration, one column for every number and word in it. */
function cells({ config }: Pick<StoredTrial, 'config'>): Row {
  const all = Object.entries(leaves(config)).filter(([path]) => path !== 'experiment');
  return Object.fromEntries(all.map(([path, value]) => [`config.${path}`, cellOf(value)]));
}

const cellOf = (value: unknown): Cell =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value) ? (value as Cell) : stringify(value);

/** When and where a trial ran: its columns begin with 'run.'. */
export function whereabouts(db: Database): (trial: StoredTrial) => Row {
  const find = db.prepare<[Uint8Array], { engine: string; host: string; started: number; attempts: number; provenance: string | null }>(
    `SELECT a.engine, a.host, a.started, (SELECT count(*) FROM attempts WHERE trial = t.id) AS attempts, p.text AS provenance
     FROM trials t JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE trial = t.id)
     LEFT JOIN results r ON r.trial = t.id LEFT JOIN provenances p ON p.id = r.provenance WHERE t.digest = ?`,
  );
  return ({ id, seconds }) => {
    const found = find.get(bytesOfHex(id));
    if (found === undefined) return { 'run.seconds': null };
    const { provenance, ...rest } = found;
    const about = { seconds, ...rest, ...(provenance === null ? {} : (JSON.parse(provenance) as Row)) };
    return Object.fromEntries(Object.entries(about).map(([key, value]) => [`run.${key}`, value]));
  };
}

/** Every key of any row, in the order of first appearance, configurations' keys in alphabetical order after the rest. */
function columnsOf(rows: Iterable<Row>): Table['columns'] {
  const kinds = new Map<string, Kind | undefined>();
  for (const row of rows)
    for (const [key, cell] of Object.entries(row)) {
      const known = kinds.get(key);
      const own = cell === null || cell === undefined ? undefined : (typeof cell as Kind);
      if (!kinds.has(key) || known === undefined) kinds.set(key, own);
      else if (own !== undefined && own !== known) kinds.set(key, 'string');
    }
  const all = [...kinds].map(([name, kind]) => ({ name, kind: kind ?? 'string' }));
  const of = (prefix: string): Table['columns'][number][] => all.filter(({ name }) => name.startsWith(prefix));
  const order = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  return [...all.filter(({ name }) => !/^(config|run)\./.test(name)), ...of('config.').sort(order), ...of('run.')];
}
