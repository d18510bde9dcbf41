/**
 * Our contender of scripts/bench/optimizers.ts, through the public API.
 *
 *   node --import tsx scripts/bench/optimizersOurs.ts PURPOSE float32|float64
 *
 * Answers (serve.ts) each question, a method's name, from the start of training, with the last loss. The parameters go into FILE, as
 * float64.
 */
import { writeFileSync } from 'node:fs';
import { axpby, type Dtype, Evaluation, Matrix } from '../../lib/index.js';
import { labelsStream, type MethodName, optimizerOf, problemOf, type Purpose } from './optimizersProblem.js';
import { serve } from './serve.js';

const [purpose, dtype] = process.argv.slice(2);
const { network, loss, data, methods } = problemOf(purpose as Purpose, dtype as Dtype);
const { params } = network;
const start = params.map(({ value }) => value.clone());
const steps = params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
const all = params.map((_, i) => i);

/** Training by a method from the start. @returns takes so many steps and gives the last one's loss */
function begin(method: MethodName): (count: number) => number {
  params.forEach(({ value }, i) => {
    value.data.set(start[i].data);
  });
  const optimizer = optimizerOf(methods[method]);
  const state = optimizer.init(params);
  const evaluation = new Evaluation({ network, loss, optimizer, labels: labelsStream() });
  return (count) => {
    let last = NaN;
    for (let i = 0; i < count; i++) {
      const batch = data[evaluation.step % data.length];
      evaluation.step++;
      last = evaluation.evaluate(batch, all, true);
      optimizer.update(evaluation, state, steps, all);
      for (const p of all) axpby(1, steps[p], 1, params[p].value);
    }
    if (evaluation.events.length > 0) throw new Error(`${method}: ${evaluation.events[0].message}`);
    return last;
  };
}

await serve(
  (method) => ({
    advance: begin(method as MethodName),
    save: (file) => writeFileSync(file, Buffer.concat(params.map(({ value }) => Buffer.from(Float64Array.from(value.data).buffer)))),
  }),
  'loss',
);
