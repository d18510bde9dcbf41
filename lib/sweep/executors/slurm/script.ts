/** What Slurm runs of a submission: a task of an array is a process of node. */
import { fileURLToPath } from 'node:url';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param first  number of the array's first task. `exec`, so that Slurm's signals reach node. */
export function scriptOf(folder: string, first: number, prologue: readonly string[]): string {
  const source = import.meta.url.endsWith('.ts');
  const task = fileURLToPath(new URL(source ? './task.ts' : './task.js', import.meta.url));
  const node = [process.execPath, ...(source ? ['--import', 'tsx'] : []), task, folder].map(quoted).join(' ');
  return ['#!/bin/bash', ...prologue, `exec ${node} "$((${first} + SLURM_ARRAY_TASK_ID))"`, ''].join('\n');
}
