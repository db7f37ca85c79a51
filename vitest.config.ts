import { defineConfig } from 'vitest/config';

// One project for each kind of test, so that a kind can be run alone: npx vitest run --project unit
export default defineConfig({
  test: {
    // Every core, where files run side by side at all; Vitest would leave one idle.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/system/**', 'tests/browser/**', 'tests/chromium/**', 'tests/long/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['tests/system/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'long',
          include: ['tests/long/**/*.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          // tests/browser uses the package as the page does; tests/chromium compares it with its sources in Node.
          include: ['tests/browser/**/*.test.ts', 'tests/chromium/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
