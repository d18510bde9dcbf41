import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { LibraryError } from '../errors.js';
import type { SystemInfo } from '../linalg/index.js';
import { colors as pc } from '../terminal.js';

/** Variables that choose OpenBLAS's kernels. */
const HOLDING = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'] as const;

interface Report {
  readonly sound: boolean;
  readonly version: string;
  readonly node: string;
  readonly system?: SystemInfo;
  /** Measured rate of a 512 x 512 x 512 product on one thread. */
  readonly gflops?: { readonly float64: number; readonly float32: number };
  /** Present where a variable chooses the kernel: what OpenBLAS does when left alone. */
  readonly unheld?: { readonly variables: readonly string[]; readonly kernel: string; readonly float64: number; readonly float32: number };
  readonly remedies: readonly string[];
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check the native library on this machine: results, kernel, threads, speed')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExit codes: 0 sound, 1 unsound.')
    .action(doctor);
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const report = await examine();
  process.stdout.write(json === true ? `${JSON.stringify(report, null, 1)}\n` : text(report));
  if (!report.sound) process.exitCode = 1;
}

async function examine(): Promise<Report> {
  const { packageVersion } = await import('../experiments/version.js');
  const facts = { version: packageVersion(), node: process.version };
  let linalg: typeof import('../linalg/index.js');
  try {
    linalg = await import('../linalg/index.js'); // loading runs the self-test
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error;
    return { sound: false, ...facts, remedies: [error.message] };
  }
  const system = linalg.systemInfo();
  const gflops = { float64: rate(linalg, 'float64'), float32: rate(linalg, 'float32') };
  const variables = HOLDING.filter((name) => process.env[name] !== undefined);
  const remedies: string[] = [];
  const unheld = variables.length > 0 && process.env['LAYERWISE_DOCTOR_CHILD'] === undefined ? withoutVariables(variables) : undefined;
  if (unheld !== undefined) {
    const gain = unheld.float64 / gflops.float64;
    if (gain > 1.15)
      remedies.push(
        `${variables.join(' and ')} hold${variables.length === 1 ? 's' : ''} OpenBLAS to ${system.kernel} kernels; without, ${unheld.kernel} kernels pass the self-test here and run ${gain.toFixed(1)} times as fast. Unset for speed; keep to compare with results made under it.`,
      );
  }
  return { sound: true, ...facts, system, gflops, ...(unheld === undefined ? {} : { unheld: { variables, ...unheld } }), remedies };
}

/** GFLOP/s of a product, the best of a few. */
function rate({ Matrix, gemmInto }: typeof import('../linalg/index.js'), dtype: 'float64' | 'float32'): number {
  const n = 512;
  const [a, b, c] = [0, 1, 2].map(() => Matrix.zeros(n, n, dtype));
  a.data.fill(0.5);
  b.data.fill(0.25);
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    gemmInto(c, a, b);
    best = Math.min(best, performance.now() - started);
  }
  return Number(((2 * n ** 3) / best / 1e6).toFixed(1));
}

/** The same measurement in a process without the variables; undefined where OpenBLAS is unsound there. */
function withoutVariables(variables: readonly string[]): { kernel: string; float64: number; float32: number } | undefined {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !variables.includes(name)));
  try {
    const out = execFileSync(process.execPath, [fileURLToPath(new URL('./main.js', import.meta.url)), 'doctor', '--json'], {
      env: { ...env, LAYERWISE_DOCTOR_CHILD: '1' },
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { system, gflops } = JSON.parse(out) as Report;
    return system === undefined || gflops === undefined ? undefined : { kernel: system.kernel, ...gflops };
  } catch {
    return undefined;
  }
}

function text({ sound, version, node, system, gflops, unheld, remedies }: Report): string {
  const line = (name: string, value: string): string => `  ${name.padEnd(14)} ${value}`;
  return [
    sound ? pc.green('sound: gemm, syrk, potrf and syevd agree with plain loops in both types') : pc.red('unsound'),
    line('layerwise', `${version}, Node ${node}`),
    ...(system === undefined
      ? []
      : [
          line('library', system.config),
          line('kernel', system.kernel),
          line('threads', `${system.threads} of ${system.processors} processors`),
          line('CPU features', system.cpuFeatures.join(' ')),
        ]),
    ...(gflops === undefined
      ? []
      : [line('gemm', `${gflops.float64} GFLOP/s float64, ${gflops.float32} GFLOP/s float32 (512 x 512 x 512)`)]),
    ...(unheld === undefined
      ? []
      : [
          line(
            'left alone',
            `${unheld.kernel}: ${unheld.float64} GFLOP/s float64, ${unheld.float32} GFLOP/s float32 (without ${unheld.variables.join(', ')})`,
          ),
        ]),
    ...remedies.map((r) => pc.yellow(`remedy: ${r}`)),
    '',
  ].join('\n');
}
