/** Lines under a title. */
import { textWidth } from './text.js';

/** Of subtitles, in every chart. */
export const SUBTITLE_SIZE = 11;
/** Lines are not broken into shorter ones than this, in pixels. */
const LEAST = 260;

/** Lines that do not make a picture wider than its panels. @param width  of these, in pixels */
export function wrapped(lines: readonly string[], width: number): string[] {
  const most = Math.max(LEAST, width);
  return lines.flatMap((line) => {
    const out: string[] = [''];
    for (const word of line.split(' ')) {
      const last = out.length - 1;
      if (out[last] === '') out[last] = word;
      else if (textWidth(`${out[last]} ${word}`, SUBTITLE_SIZE) <= most) out[last] += ` ${word}`;
      else out.push(word);
    }
    return out;
  });
}
