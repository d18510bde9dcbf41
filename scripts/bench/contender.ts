/**
 * The contenders of a benchmark: processes that stay for the whole run and are asked in turn for a block of steps, A B C, then B C A, so
 * that whatever else the machine does falls on all of them; and how their answers are printed. A contender prints a line of facts at
 * once, or why it is absent, and answers each line on its standard input with a line of JSON.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** So many threads, and no files of Python's beside the scripts. */
const environmentOf = (threads: number): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(['OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'].map((name) => [name, String(threads)])),
  PYTHONDONTWRITEBYTECODE: '1',
});

/** What every contender says of a block of steps. */
export interface Answer {
  /** Microseconds a step by the clock. */
  readonly wall: number;
  /** Microseconds a step of processor time, of all the process's threads. */
  readonly cpu: number;
}

export type Facts = Readonly<Record<string, string | number>>;

/** A process that takes steps when asked. */
export class Contender {
  readonly name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string, undefined>;

  constructor(name: string, command: string, args: readonly string[], threads = 1) {
    this.name = name;
    this.#child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...environmentOf(threads) } });
    this.#child.stderr.pipe(process.stderr);
    this.#child.on('error', (error) => {
      console.error(`${name}: ${error.message}`);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  }

  /** What it runs on, or why it cannot run. */
  async facts(): Promise<{ facts: Facts } | { absent: string }> {
    const line = await this.#lines.next();
    return line.done === true ? { absent: 'it did not start' } : (JSON.parse(line.value) as { facts: Facts } | { absent: string });
  }

  /** @param request  one line */
  async ask<A extends Answer>(request: string): Promise<A> {
    this.#child.stdin.write(`${request}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.name} ended before it answered`);
    return JSON.parse(line.value) as A;
  }

  end(): void {
    this.#child.stdin.end();
  }
}

/** Those that could start, and the facts of all. @param needed  names of those without which there is nothing to compare */
export async function gather(
  contenders: readonly Contender[],
  needed: readonly string[],
): Promise<{ present: Contender[]; facts: Record<string, Facts | string> }> {
  const facts: Record<string, Facts | string> = { machine: machineFacts() };
  const present: Contender[] = [];
  for (const contender of contenders) {
    const found = await contender.facts();
    facts[contender.name] = 'facts' in found ? found.facts : `absent: ${found.absent}`;
    if ('facts' in found) present.push(contender);
    else if (needed.includes(contender.name)) throw new Error(`${contender.name}: ${found.absent}`);
  }
  return { present, facts };
}

/** Of each contender by name: its answers to each question, one a round; none to what it is not asked. */
export type Answers<Q extends string, A extends Answer> = ReadonlyMap<string, Readonly<Record<Q, A[]>>>;

/** Asks the contenders every question in every round. @param request  the line that asks; null where it is not for this contender */
export async function askInTurn<Q extends string, A extends Answer>(
  contenders: readonly Contender[],
  questions: readonly Q[],
  rounds: number,
  request: (question: Q, round: number, contender: Contender) => string | null,
): Promise<Answers<Q, A>> {
  const none = (): Record<Q, A[]> => Object.fromEntries(questions.map((q) => [q, []])) as unknown as Record<Q, A[]>;
  const answers = new Map(contenders.map(({ name }) => [name, none()]));
  for (let round = 0; round < rounds; round++)
    for (const question of questions)
      for (let i = 0; i < contenders.length; i++) {
        const contender = contenders[(i + round) % contenders.length];
        const line = request(question, round, contender);
        if (line !== null) answers.get(contender.name)![question].push(await contender.ask<A>(line));
      }
  return answers;
}

export function printFacts(facts: Readonly<Record<string, Facts | string>>): void {
  for (const [name, fact] of Object.entries(facts)) {
    const parts = typeof fact === 'string' ? [fact] : Object.entries(fact).map(([key, value]) => `${key} ${value}`);
    console.log(`- ${name}: ${parts.join(', ')}`);
  }
  console.log('');
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How many of the columns, from the left, are words: those align left, numbers right. */
  readonly words: number;
}

/** A table in Markdown, its columns of even width. */
export function markdown({ header, rows, words }: Table): string {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const padded = (cells: readonly string[]): string[] =>
    cells.map((cell, i) => (i < words ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
  const rule = widths.map((width, i) => (i < words ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [padded(header), rule, ...rows.map(padded)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function printTable(header: readonly string[], rows: readonly (readonly string[])[], words: number): void {
  console.log(`${markdown({ header, rows, words })}\n`);
}

/** Whether this module is the program, and not part of one. */
export const isProgram = (url: string): boolean => process.argv[1] === fileURLToPath(url);

/** An option of the command line that counts something. */
export function countOf(option: string, value: string): number {
  const count = Number(value);
  if (!(Number.isInteger(count) && count >= 1)) throw new Error(`--${option} is an integer of at least 1; got ${value}`);
  return count;
}

function machineFacts(): Facts {
  const processors = cpus();
  const variables = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'].map((name) => [name, process.env[name] ?? 'not set'] as const);
  return { cpu: processors[0].model.trim(), processors: processors.length, ...Object.fromEntries(variables) };
}
