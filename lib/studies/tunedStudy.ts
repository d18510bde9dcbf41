/** What figures of tuned methods have in common: all but their charts and claims. */
import type { Claim } from '../figures/index.js';
import { Stream } from '../random/index.js';
import type { Analysis, Study, StudyOptions } from './study.js';
import { searchedOf, type Seeds, type TunedCells } from './tuned.js';
import { curveRows, tunedCurves, type Final, type TunedCurves } from './tunedCurves.js';

/** What charts are drawn for. */
export interface Drawn {
  readonly options: StudyOptions;
  readonly seeds: Seeds;
  /** What the dots and bands are, for a subtitle. */
  readonly about: string;
}

export interface TunedFigure<C> {
  readonly study: string;
  readonly cells: TunedCells<C>;
  /** A condition's key in words. */
  readonly labelOf: (key: string) => string;
  /** Of the records: their curves and final values are kept. */
  readonly metrics: readonly string[];
  /** Of the data, beside the seeds. */
  readonly protocol: (options: StudyOptions) => object;
  readonly charts: (results: TunedCurves, drawn: Drawn) => Analysis['charts'];
  readonly claimsOf: (finals: readonly Final[]) => Claim[];
}

export function tunedStudy<C extends { readonly key: string }>(
  figure: TunedFigure<C>,
): Pick<Study, 'plan' | 'expected' | 'analyse' | 'evidence' | 'judge'> {
  const { study, cells, metrics, protocol, charts, claimsOf } = figure;
  return {
    plan: cells.plan,
    expected: cells.expected,
    analyse: (options, lookup) => {
      const stream = new Stream(options.seed).substream(`${study}/bootstrap`);
      const results = tunedCurves(study, cells.at(options, lookup), lookup, metrics, stream);
      const { curves, finals, tuned, seconds } = results;
      const { scale, seed } = options;
      const seeds = cells.seeds(options);
      const [evaluated, chosen] = [seeds.evaluation.length, seeds.tuning.length];
      const others = chosen === 1 ? 'another seed' : `${chosen} other seeds`;
      const about = `mean and 95% bootstrap interval over ${evaluated} seeds, each method at its best learning rate on ${others}`;
      return {
        data: { study, scale, seed, protocol: { ...protocol(options), seeds }, tuned, finals, curves },
        rows: curveRows(curves),
        charts: charts(results, { options, seeds, about }),
        searches: searchedOf(tuned, figure.labelOf),
        timings: { seconds },
      };
    },
    evidence: ['finals'],
    judge: (data) => claimsOf((data as { finals: Final[] }).finals),
  };
}
