/** Progress on stderr: a bar with time left on a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import { duration } from '../duration.js';
import type { Progress } from '../sweep/index.js';

export { duration };

export interface ProgressView {
  update(progress: Progress): void;
  stop(): void;
}

export function progressView(label: string): ProgressView {
  return process.stderr.isTTY ? bar(label) : lines(label);
}

function bar(label: string): ProgressView {
  const view = new SingleBar(
    { format: `${label} {bar} {value}/{total} trials{left}{note}`, stream: process.stderr, hideCursor: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update({ done, total, failed, eta }) {
      const words = { left: leftText(eta, done, total), note: failedText(failed) };
      if (!started) view.start(total, done, words);
      started = true;
      view.setTotal(total);
      view.update(done, words);
    },
    stop: () => view.stop(),
  };
}

/** At most a line every few seconds, so that a log stays readable. */
const INTERVAL = 10_000;

function lines(label: string): ProgressView {
  let last = 0;
  let [shown, text] = ['', ''];
  const show = (): void => {
    if (text !== shown) process.stderr.write(text);
    shown = text;
  };
  return {
    update({ done, total, failed, eta }) {
      const now = Date.now();
      text = `${label}: ${done}/${total} trials${leftText(eta, done, total)}${failedText(failed)}\n`;
      if (done < total && now - last < INTERVAL) return;
      last = now;
      show();
    },
    stop: show,
  };
}

const leftText = (eta: number | undefined, done: number, total: number): string =>
  eta === undefined || done >= total ? '' : `, about ${duration(eta)} left`;
const failedText = (failed: number): string => (failed > 0 ? `, ${failed} failed` : '');

export function sayFinishing(): void {
  process.stderr.write('\nfinishing the trials that run; Ctrl-C again ends at once and drops them\n');
}
