/** Lines under a title. */

/** What a character is taken to be wide where nothing measures text, at the size of subtitles: more than it is. */
const CHARACTER = 8.8;

/** Lines that do not make a picture wider than its panels. @param width  of these, in pixels */
export function wrapped(lines: readonly string[], width: number): string[] {
  const most = Math.max(40, Math.floor(width / CHARACTER));
  return lines.flatMap((line) => {
    const out: string[] = [''];
    for (const word of line.split(' ')) {
      const last = out.length - 1;
      if (out[last] === '') out[last] = word;
      else if (out[last].length + 1 + word.length <= most) out[last] += ` ${word}`;
      else out.push(word);
    }
    return out;
  });
}
