import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The library loads its Node half only in Node; the page need not carry it. */
function withoutNodePlatform(): Plugin {
  const placeholder = '\0node-platform';
  return {
    name: 'without-node-platform',
    enforce: 'pre',
    resolveId: (source) => (source.endsWith('/platform-node.js') ? placeholder : undefined),
    load: (id) => (id === placeholder ? 'export const nodePlatform = undefined;' : undefined),
  };
}

// The page is a user of the built library: `hypertab` is build/src/index.js, as package.json's exports say.
export default defineConfig({
  root: here('web'),
  base: './',
  plugins: [withoutNodePlatform()],
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
