/** Sweeps for people to read. */
import Table from 'cli-table3';
import { valueAt } from '../paths.js';
import type { Best, FailureReport, Objective, TrialState } from '../sweep/index.js';
import { colors as pc } from '../terminal.js';

const GOOD: readonly string[] = ['done', 'pruned', 'planned'];

/** '1990 done, 8 diverged, 2 planned'. */
export function stateLine(states: Readonly<Record<TrialState, number>>): string {
  const parts = Object.entries(states).filter(([, count]) => count > 0);
  if (parts.length === 0) return 'no trials';
  return parts.map(([state, count]) => (GOOD.includes(state) ? `${count} ${state}` : pc.yellow(`${count} ${state}`))).join(', ');
}

/** One line a comparison: the setting that won it and its values on the evaluation seeds. @param axes  paths that vary */
export function bestTable(best: readonly Best[], objective: Objective, axes: readonly string[]): string {
  const paths = objective.per;
  const table = new Table({
    head: [...paths, 'setting', `${objective.metric}, mean [95%]`, 'seeds', 'of'],
    style: { head: [], border: [], compact: true },
  });
  for (const { group, config, mean, interval, values, score, among } of best)
    table.push([
      ...paths.map((path) => cell(group[path])),
      settingText(config, axes, paths),
      measured({ mean, interval, values, score }),
      String(values.length),
      String(among),
    ]);
  return table.toString();
}

function measured({ mean, interval, values, score }: Pick<Best, 'mean' | 'interval' | 'values' | 'score'>): string {
  if (values.length > 0) return `${number(mean)} [${number(interval.low)}, ${number(interval.high)}]`;
  return Number.isFinite(score) ? `${number(score)} on tuning seeds` : 'none ended well';
}

/** What of a setting varies, but for what the line shows already. */
function settingText(config: Best['config'], axes: readonly string[], shown: readonly string[]): string {
  const own = axes.filter((path) => !shown.some((known) => known === path || known.startsWith(`${path}.`)));
  return own
    .map((path) => [path, valueAt(config, path)] as const)
    .filter(([, value]) => value !== undefined)
    .map(([path, value]) => `${path} ${cell(value)}`)
    .join(', ');
}

const cell = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
};
const number = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : String(x));

const SHOWN = 10;

export function failureLines(failures: readonly FailureReport[], place: string): string {
  const lines = failures
    .slice(0, SHOWN)
    .map(({ id, state, message, config }) => `trial ${id.slice(0, 12)} (seed ${config.seed}): ${state}: ${message.split('\n')[0]}\n`);
  const more = failures.length > SHOWN ? `... and ${failures.length - SHOWN} more\n` : '';
  return `${lines.join('')}${more}${failures.length} trials have no record; layerwise status ${place} --failures shows their logs. They run again with the same command.\n`;
}
