import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks', // the addon and OpenBLAS are process-global
    maxWorkers: availableParallelism(), // some files wait for engines more than they compute
    testTimeout: 60_000,
    // Node's own typed-array checks compare slowly element by element; tests use helpers from test/close.ts instead.
  },
});
