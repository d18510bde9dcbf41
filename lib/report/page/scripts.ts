/** The two scripts of the page, and the policy under which nothing else runs. */
import { inlineScript, policy as policyOf, vegaScript } from '../../inline.js';
import { STYLE } from './style.js';

/** Both as they may stand between script tags. */
export const scripts = (): { readonly vega: string; readonly script: string } => ({
  vega: vegaScript(),
  script: inlineScript(new URL('../browser/draw.js', import.meta.url)),
});

export function policy(live: boolean): string {
  const { vega, script } = scripts();
  return policyOf({ scripts: [vega, script], style: STYLE, connects: live });
}
