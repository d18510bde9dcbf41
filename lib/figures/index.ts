export { claimsTable, judge, measuredText, type Claim, type Measured } from './claims.js';
export { curveGrid, STYLES, type CurveGrid, type CurvePoint } from './curves.js';
export { dotPlot, type Dot } from './dots.js';
export { spectra, type SpectraRow, type SpectrumPanel } from './spectra.js';
export { theoryDots, type TheoryDot, type TheoryDots } from './theoryDots.js';
export { renderPng, renderSvg, type TopLevelSpec } from './render.js';
export { writeFigure, writePage, type FigureOutput } from './output.js';
export type { PageFigure } from './page.js';
export { csv } from '../csv.js';
