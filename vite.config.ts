import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The page is a user of the built library: `hypertab` is build/src/index.js, as package.json's exports say.
export default defineConfig({
  root: here('web'),
  base: './',
  resolve: { alias: { hypertab: here('build/src/index.js') } },
  worker: { format: 'es' },
  build: {
    outDir: here('build/page'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
});
