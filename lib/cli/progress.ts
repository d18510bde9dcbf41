/** Progress on stderr: a bar with time left on a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../sweep/index.js';

export interface ProgressView {
  update(progress: Progress): void;
  stop(): void;
}

export function progressView(label: string): ProgressView {
  return process.stderr.isTTY ? bar(label) : lines(label);
}

function bar(label: string): ProgressView {
  const view = new SingleBar(
    {
      format: `${label} {bar} {value}/{total} trials, {eta_formatted} left{note}`,
      stream: process.stderr,
      hideCursor: true,
      etaBuffer: 60,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update({ done, total, failed }) {
      const note = failed > 0 ? `, ${failed} failed` : '';
      if (!started) view.start(total, done, { note });
      started = true;
      view.setTotal(total);
      view.update(done, { note });
    },
    stop: () => {
      view.stop();
    },
  };
}

/** At most a line every few seconds, so that a log stays readable. */
const INTERVAL = 10_000;

function lines(label: string): ProgressView {
  const began = Date.now();
  let first: number | undefined;
  let last = 0;
  return {
    update({ done, total, failed }) {
      const now = Date.now();
      first ??= done;
      if (done < total && now - last < INTERVAL) return;
      last = now;
      const rate = (done - first) / (now - began);
      const left = rate > 0 && done < total ? `, about ${Math.ceil((total - done) / rate / 1000)} s left` : '';
      process.stderr.write(`${label}: ${done}/${total} trials${left}${failed > 0 ? `, ${failed} failed` : ''}\n`);
    },
    stop: () => undefined,
  };
}
