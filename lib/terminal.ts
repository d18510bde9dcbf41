import { createColors } from 'picocolors';

/** Colours on a terminal alone: a pipe or a log wants plain text, also where CI is set. */
export const colors = createColors(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
