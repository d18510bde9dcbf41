/** How the page of figures looks: light or dark as the reader's system has it, from 400 pixels up, and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --card: #fff; --line: #d8d8d8; --quiet: #595959; --good: #0a6b3d; --bad: #8f4300; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #161616; --card: #1d1d1d; --line: #3f3f3f; --quiet: #ababab; --good: #5fd39a; --bad: #f0a860; --link: #7db8ff; }
  .plot svg, .swatch { filter: invert(1) hue-rotate(180deg); } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1.5rem 1rem 5rem; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; } h2 { font-size: 1.3rem; line-height: 1.3; margin: 3.5rem 0 .3rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
p, li { max-width: 78ch; } .quiet { color: var(--quiet); font-size: .92rem; }
.skip { position: absolute; left: -9999px; } .skip:focus { position: static; }
code, pre { font: .88em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: .4rem 0; padding: .7rem .8rem; max-height: 26rem; overflow: auto; white-space: pre-wrap; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; }
.claims { width: 100%; border-collapse: collapse; font-size: .93rem; }
.claims td, .claims th { text-align: left; vertical-align: top; padding: .5rem .6rem; border-bottom: 1px solid var(--line); }
table.searches { border-collapse: collapse; font-size: .86rem; } .searches td, .searches th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.scroll { max-height: 26rem; overflow: auto; margin: .4rem 0; } mark { color: inherit; background: none; font-weight: 700; border-bottom: 2px solid var(--good); } .edge { border-left: 4px solid var(--bad); padding-left: .7rem; }
.measured { display: block; margin-top: .2rem; font-size: .86rem; color: var(--quiet); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.yes { color: var(--good); } .no { color: var(--bad); } .yes, .no { font-weight: 700; white-space: nowrap; }
figure { margin: 1.2rem 0 .4rem; padding: .4rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.plot { overflow-x: auto; } .plot svg { display: block; height: auto; min-width: 640px; max-width: 100%; background: transparent; }
.toggles, .tools { display: flex; flex-wrap: wrap; gap: .35rem .5rem; padding: .3rem; margin: 0; list-style: none; }
button { font: inherit; font-size: .88rem; padding: .2rem .6rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
button:hover { border-color: var(--ink); } button[aria-pressed="false"] { color: var(--quiet); text-decoration: line-through; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 50%; vertical-align: -1px; }
math[display="block"] { margin: .6rem 0; overflow-x: auto; }
#pointed { position: fixed; z-index: 3; max-width: 320px; padding: .4rem .6rem; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; pointer-events: none; color: var(--ink); background: var(--paper); border: 1px solid var(--ink); border-radius: 4px; }
#pointed[hidden] { display: none; }
@media (max-width: 640px) { .claims thead { position: absolute; left: -9999px; } .claims tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); } .claims td { display: block; border: 0; padding: .1rem 0; } }
@media print { body { max-width: none; } .toggles, .tools, .skip { display: none; } figure, tr { break-inside: avoid; } .plot svg { min-width: 0; } }
`;
