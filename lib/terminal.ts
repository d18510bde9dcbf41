import { isatty } from 'node:tty';
import { createColors } from 'picocolors';

/** Colours on a terminal alone: a pipe or a log wants plain text, also where CI is set. */
export const colors = createColors(isatty(1) && process.env['NO_COLOR'] === undefined);
