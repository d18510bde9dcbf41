/** Where in a configuration the complaint of a factory belongs. */
import { OptionsError, type OptionIssue } from '../errors.js';
import { dotted } from '../options.js';

/** Errors whose keys already lead from the top of the configuration. */
const placed = new WeakSet<Error>();

/** Does a part of the work on a configuration; what is wrong with the options there is reported with keys from the configuration's top.
 *  @param place  where the part is; @param part  what is written there; @param name  of the optimiser, where it is one */
export function placedAt<T>(place: readonly PropertyKey[], part: unknown, work: () => T, name?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OptionsError) || placed.has(error)) throw error;
    const own = error.issues.map((issue) => issueAt(place, part, issue, name));
    const again = new OptionsError('config', own);
    placed.add(again);
    throw again;
  }
}

function issueAt(place: readonly PropertyKey[], part: unknown, issue: OptionIssue, name: string | undefined): OptionIssue {
  const keys = issue.keys ?? keysOf(issue.path);
  const known = keys.length === 0 || (typeof part === 'object' && part !== null && keys[0] in part);
  const message = known ? issue.message : `${issue.path}: ${issue.message}`;
  const whole = known ? [...place, ...keys] : place;
  return {
    path: dotted(whole),
    keys: whole,
    value: issue.value,
    message: name === undefined ? message : `${message} (in optimiser ${name})`,
  };
}

/** '[1].layers' leads by 1 and 'layers'. */
const keysOf = (path: string): PropertyKey[] => (path.match(/[^.[\]]+/g) ?? []).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
