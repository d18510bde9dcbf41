/** How the page looks: light or dark as the reader's system has it, from 390 pixels up. */
import { STYLES } from '../../figures/index.js';

const series = (part: 'color' | 'dark'): string => STYLES.map((s, i) => `--series${i}: ${s[part]};`).join(' ');

export const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --card: #ffffff; --line: #d8d8d8; --quiet: #5a5a5a; --warn: #fff6e0; --warn-line: #e0a830;
  --good: #009e73; --odd: #e69f00; --bad: #d55e00; --rest: #c4c4c4; ${series('color')} }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #161616; --card: #1d1d1d; --line: #3a3a3a; --quiet: #a8a8a8; --warn: #2c2413; --warn-line: #b98a26; --rest: #555; ${series('dark')} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1.5rem 1rem 6rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0 0 .4rem; overflow-wrap: anywhere; } h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.8rem 0 .4rem; }
code, pre { font: .9em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .7rem .8rem; max-height: 24rem; overflow: auto; white-space: pre-wrap; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
summary { cursor: pointer; color: var(--quiet); }
.note { max-width: 75ch; margin: .3rem 0 .8rem; font-size: .9rem; color: var(--quiet); overflow-wrap: anywhere; }
.cut { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
.warnings { margin: 1.2rem 0; padding: .7rem 1rem .7rem 2rem; background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: 4px; }
.bar { display: block; width: 100%; height: 10px; border-radius: 5px; overflow: hidden; background: var(--rest); }
.states { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; margin: .6rem 0; padding: 0; list-style: none; font-size: .92rem; }
.dot { display: inline-block; width: .7em; height: .7em; margin-right: .45em; border-radius: 50%; background: var(--bad); }
rect { fill: var(--bad); }
.done { fill: var(--good); background: var(--good); } .diverged, .failed { fill: var(--odd); background: var(--odd); }
.pruned, .planned { fill: var(--rest); background: var(--rest); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 1rem; }
.figures.pairs { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); } .figures.alone { max-width: 720px; } .wide { overflow-x: auto; } .wide .figures { max-width: none; min-width: 640px; }
figure { margin: 0; padding: .6rem .7rem .4rem; min-width: 0; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
figcaption { font-size: .9rem; font-weight: 600; overflow-wrap: anywhere; }
.plot { width: 100%; overflow: hidden; } .plot canvas { display: block; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0 .8rem; padding: 0; list-style: none; font-size: .92rem; }
.legend svg { vertical-align: -2px; } .legend .mark { fill: var(--paper); } .legend .note { margin: 0; }
.scroll { overflow: auto; max-height: 40rem; margin: 1rem 0; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; white-space: nowrap; font-weight: 600; background: var(--card); } tbody tr:last-child td { border-bottom: 0; }
td { white-space: nowrap; } td.text { min-width: 14rem; white-space: normal; overflow-wrap: anywhere; } .number { font-variant-numeric: tabular-nums; } td.number, th.number { text-align: right; }
.choice { position: sticky; top: 0; z-index: 2; margin: 2.2rem 0 -1.5rem; padding: .5rem 0; background: var(--paper); border-bottom: 1px solid var(--line); }
select { max-width: 60vw; font: inherit; padding: .15rem .4rem; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 4px; }
#live { margin: 0 0 1.2rem; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card); font-size: .92rem; }
#live ul { margin: .3rem 0 0; padding-left: 1.2rem; } #live .trouble { color: var(--bad); }
#pointed { position: fixed; z-index: 3; max-width: 320px; padding: .4rem .6rem; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; pointer-events: none; color: var(--ink); background: var(--paper); border: 1px solid var(--ink); border-radius: 4px; }
#pointed[hidden] { display: none; }
`;
