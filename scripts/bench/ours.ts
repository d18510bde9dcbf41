/**
 * Our contender of scripts/bench/step.ts, through the public API.
 *
 *   node --import tsx scripts/bench/ours.ts
 *
 * Prints one line of facts, then answers each line `METHOD WARM_UP STEPS` on standard input with the microseconds a step, by the clock
 * and of the processor, and the last subspace distance.
 */
import { createInterface } from 'node:readline';
import { type Training, systemInfo } from '../../lib/index.js';
import { training, type Method } from './problem.js';

const { kernel, threads, config } = systemInfo();
console.log(JSON.stringify({ facts: { node: process.version, blas: config.split(' ').slice(0, 2).join(' '), kernel, threads } }));

const UNBOUNDED = 2 ** 31 - 1;
const runs: Record<Method, Training> = { sgd: training('sgd', UNBOUNDED, 1), layerwise: training('layerwise', UNBOUNDED, 1) };

for await (const line of createInterface({ input: process.stdin })) {
  const [method, warmUp, steps] = line.split(' ');
  const run = runs[method as Method];
  run.advance(Number(warmUp));
  const [started, used] = [performance.now(), process.cpuUsage()];
  run.advance(Number(steps));
  const wall = ((performance.now() - started) * 1000) / Number(steps);
  const { user, system } = process.cpuUsage(used); // of all threads, V8's own included
  if (run.finished) throw new Error(`${method}: ${run.record().reason ?? 'ended early'}`);
  console.log(JSON.stringify({ wall, cpu: (user + system) / Number(steps), distance: run.record().metrics['distance'].values.at(-1) }));
}
