/** Claims of the paper, judged by numbers: the rule is written down with the measurement, and both verdicts are printed alike. */
import Table from 'cli-table3';
import { colors as pc } from '../terminal.js';

/** A number with its interval over seeds. */
export interface Measured {
  readonly label: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Claim {
  /** A letter, the paper's claim, and a number: 'A1'. */
  readonly id: string;
  readonly statement: string;
  /** What has to be true of the measured numbers. */
  readonly rule: string;
  readonly measured: readonly Measured[];
  readonly verdict: 'REPRODUCED' | 'NOT REPRODUCED';
}

export function judge(claim: Omit<Claim, 'verdict'>, holds: boolean): Claim {
  return { ...claim, verdict: holds ? 'REPRODUCED' : 'NOT REPRODUCED' };
}

export function measuredText({ label, mean, low, high }: Measured): string {
  return `${label} ${short(mean)} [${short(low)}, ${short(high)}]`;
}

const short = (x: number): string =>
  Number.isFinite(x) ? (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e4) ? x.toExponential(1) : x.toPrecision(3)) : String(x);

/** The claims as a table for a terminal of the given width. */
export function claimsTable(claims: readonly Claim[], width = 100): string {
  const [id, verdict] = [7, 18];
  const rest = Math.max(40, width - id - verdict - 5);
  const table = new Table({
    head: ['', 'claim and measurement', 'verdict'].map(pc.bold),
    colWidths: [id, rest, verdict],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const c of claims)
    table.push([
      c.id,
      `${c.statement}\n${pc.dim(c.measured.map(measuredText).join('; '))}`,
      c.verdict === 'REPRODUCED' ? pc.green(c.verdict) : pc.yellow(c.verdict),
    ]);
  return table.toString();
}
