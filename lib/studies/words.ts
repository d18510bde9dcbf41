/** How readers are told of problems and conditions. */

/** A condition number of the inputs' covariance. */
export const kappaLabel = (condition: string | number): string => `\u03ba = ${condition}`;

/** Sizes of a problem, as subtitles have them. */
export const problemText = (o: { inputs: number; outputs: number; rank: number; noise: number; batch: number }): string =>
  `d_X = ${o.inputs}, d_Y = ${o.outputs}, k = ${o.rank}, noise ${o.noise}, ${o.batch} fresh samples a step`;
