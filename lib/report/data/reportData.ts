/** All that the page of a sweep shows, as one plain object. Whatever grows with the number of trials is summed up or sampled here. */
import { OptionsError } from '../../errors.js';
import type { ParsedConfig } from '../../experiments/index.js';
import { FAILURE_STATES, type Origin, type Spec, type Status, type Store } from '../../sweep/index.js';
import { measured, type Measured } from './measured.js';
import { settingsOf } from './settings.js';

export interface FailureRow {
  readonly id: string;
  readonly state: string;
  readonly message: string;
  /** The end of what its process wrote. */
  readonly log: string;
  readonly attempts: number;
  readonly config: ParsedConfig;
}

export interface ReportData extends Measured {
  readonly name: string;
  readonly status: Status;
  /** Settings of which something ran. */
  readonly settings: number;
  readonly failures: { readonly total: number; readonly shown: readonly FailureRow[] };
  readonly provenances: readonly Origin[];
  /** As it was planned, every default filled in. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const MOST_FAILURES = 200;
/** Characters of a log. */
const MOST_LOG = 4000;

/** @param sweep  its number; the last one planned unless given
 *  @throws OptionsError when the store has no such sweep; FileError when it is damaged */
export function reportData(store: Store, { sweep }: { readonly sweep?: number | undefined } = {}): ReportData {
  const sweeps = store.sweeps();
  const row = sweep === undefined ? sweeps.at(-1) : sweeps.find(({ id }) => id === sweep);
  if (row === undefined && sweep !== undefined) throw noSuchSweep(sweep, sweeps);
  const status = store.status(row?.id);
  const spec = row === undefined ? {} : (JSON.parse(row.spec) as Partial<Spec>);
  const settings = row === undefined ? { all: [], metrics: [] } : settingsOf(store, row.id);
  return {
    name: status.name,
    status,
    settings: settings.all.length,
    ...measured(store, row?.id ?? 0, spec, settings),
    failures: failuresOf(store, status),
    provenances: row === undefined ? [] : store.provenances(row.id),
    spec,
  };
}

function noSuchSweep(sweep: number, sweeps: readonly { readonly id: number; readonly name: string }[]): OptionsError {
  const known = sweeps.length === 0 ? 'none' : sweeps.map(({ id, name }) => `${id} (${name})`).join(', ');
  return new OptionsError('report', [
    { path: 'sweep', value: String(sweep), message: `no sweep ${sweep} in this store, which has ${known}` },
  ]);
}

function failuresOf(store: Store, { sweep, states }: Status): ReportData['failures'] {
  const total = FAILURE_STATES.reduce((sum, state) => sum + states[state], 0);
  if (sweep === null || total === 0) return { total: 0, shown: [] };
  const shown = store
    .failures({ sweep, limit: MOST_FAILURES })
    .map(({ id, state, message, log, attempts, config }) => ({ id, state, message, log: log.slice(-MOST_LOG), attempts, config }));
  return { total, shown };
}
