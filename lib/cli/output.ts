/** The standard output, for what is too much to be held in memory. */
import { writeSync } from 'node:fs';
import { FileError } from '../errors.js';

/** Milliseconds until a pipe that is full is tried again. */
const PAUSE = 5;

/** Written when it returns. Ends the process where nobody reads any more. @throws FileError */
export function writeOut(part: Uint8Array): void {
  for (let at = 0; at < part.length;)
    try {
      at += writeSync(process.stdout.fd, part, at);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0); // the reader, `head` say, has seen enough
      if (code !== 'EAGAIN') throw new FileError('the standard output', `cannot write it: ${message}`, { cause });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
}
