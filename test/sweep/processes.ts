/** Processes of this machine, as /proc has them. */
import { readdirSync, readFileSync } from 'node:fs';

function processes(are: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return are(pid);
      } catch {
        return false; // it has gone meanwhile
      }
    });
}

export const childrenOf = (parent: number): number[] =>
  processes((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(parent));

/** Those with this in their environment: 'NAME=value'. */
export const processesWith = (variable: string): number[] =>
  processes((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable));
