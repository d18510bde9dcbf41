/**
 * Shows that a step allocates nothing that stays: 20,000 steps of each update at the size of step.ts, memory sampled every 2,000.
 *
 *   node --expose-gc --import tsx scripts/bench/allocations.ts
 *
 * Exits 1 if the heap after collection grows by more than 256 KiB, or the resident set by more than 8 MiB, from step 2,000 to 20,000.
 * `garbage` is what V8 handed out and collected again (boxed numbers of native calls), a step; collections are those V8 chose to make.
 */
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { METHODS, training, type Method } from './problem.js';

const STEPS = 20_000;
const EVERY = 2_000;
const HEAP_LIMIT = 256 * 1024;
const RSS_LIMIT = 8 * 1024 * 1024;

const collect = globalThis.gc;
if (collect === undefined) throw new Error('run with node --expose-gc');

let collections = 0;
new PerformanceObserver((list) => {
  const entries = list.getEntries() as unknown as { detail: { flags: number } }[];
  for (const { detail } of entries) if ((detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) === 0) collections++;
}).observe({ entryTypes: ['gc'] });

interface Sample {
  readonly step: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Bytes a step; null where a collection of V8's own hid some. */
  readonly garbage: number | null;
  readonly collections: number;
}

async function run(method: Method): Promise<Sample[]> {
  const training_ = training({ method, size: 'small', dtype: 'float64' }, STEPS + 1, EVERY);
  const samples: Sample[] = [];
  while (training_.step < STEPS) {
    collect!();
    await setImmediate(); // the observer hears of collections between tasks
    const [before, already] = [process.memoryUsage().heapUsed, collections];
    training_.advance(EVERY);
    const grown = process.memoryUsage().heapUsed - before;
    collect!();
    await setImmediate();
    const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
    const own = collections - already;
    const garbage = own === 0 ? grown / EVERY : null;
    samples.push({ step: training_.step, heap: heapUsed, external, arrayBuffers, rss, garbage, collections: own });
  }
  return samples;
}

const kibibytes = (bytes: number): string => (bytes / 1024).toFixed(0);
let failed = false;
for (const method of METHODS) {
  const samples = await run(method);
  console.log(`\n${method}\n\n| step | heap KiB | external KiB | array buffers KiB | RSS KiB | garbage B/step | collections |`);
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const s of samples) {
    const sizes = [s.heap, s.external, s.arrayBuffers, s.rss].map(kibibytes).join(' | ');
    console.log(`| ${s.step} | ${sizes} | ${s.garbage?.toFixed(0) ?? ''} | ${s.collections} |`);
  }
  const [first, last] = [samples[0], samples.at(-1)!];
  for (const [what, growth, limit] of [
    ['heap', last.heap - first.heap, HEAP_LIMIT],
    ['resident set', last.rss - first.rss, RSS_LIMIT],
  ] as const) {
    const met = growth <= limit;
    failed ||= !met;
    console.log(`${met ? 'met' : 'MISSED'}: ${what} grew by ${kibibytes(growth)} KiB (at most ${kibibytes(limit)})`);
  }
}
process.exitCode = failed ? 1 : 0;
