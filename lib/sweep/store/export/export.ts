/**
 * A store for other programs. Rows come in the order of planning and say nothing of when and where a trial ran unless asked, so that two
 * runs of one specification export the same bytes.
 */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { stringify } from '../../../json.js';
import { querySchema, trialCurves, trials, type Query } from '../query.js';
import { writeCsv, writeParquet, type Write } from './formats.js';
import { curveTable, reasonOf, trialTable, whereabouts } from './tables.js';

export const FORMATS = ['csv', 'parquet', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface ExportOptions extends Query {
  readonly format: Format;
  /** One row a point of every curve instead of one a trial. */
  readonly curves?: boolean;
  /** Also when and where it ran: seconds, host, start, attempts, and the package's and library's versions. Differs from run to run. */
  readonly provenance?: boolean;
}

export const exportSchema = querySchema.extend({
  format: z.enum(FORMATS),
  curves: z.boolean().optional(),
  provenance: z.boolean().optional(),
});

/** All of one moment, whatever is written to the store meanwhile, part by part. */
export function exportTable(db: Database, { format, curves = false, provenance = false, ...query }: ExportOptions, write: Write): void {
  db.transaction(() => {
    if (format === 'json') writeJson(db, { curves, provenance, query }, write);
    else {
      const table = curves ? curveTable(db, query) : trialTable(db, query, provenance);
      if (format === 'csv') writeCsv(table, write);
      else writeParquet(table, write);
    }
  }).deferred();
}

/** A list of trials, one a line, with their whole configurations. */
function writeJson(
  db: Database,
  { curves, provenance, query }: { readonly curves: boolean; readonly provenance: boolean; readonly query: Query },
  write: Write,
): void {
  const where = provenance ? whereabouts(db) : undefined;
  const curvesOf = curves ? trialCurves(db) : undefined;
  let before = '[';
  for (const trial of trials(db, query)) {
    const { id, config, role, state, steps, final } = trial;
    const run = where?.(trial);
    const line = stringify({
      id,
      config,
      role,
      state,
      reason: reasonOf(trial),
      steps,
      final,
      ...(curvesOf === undefined ? {} : { curves: curvesOf(id) }),
      ...(run === undefined ? {} : { run: Object.fromEntries(Object.entries(run).map(([key, value]) => [key.slice(4), value])) }),
    });
    write(Buffer.from(`${before}\n${line}`));
    before = ',';
  }
  write(Buffer.from(before === '[' ? '[]\n' : '\n]\n'));
}
