import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The library loads its Node halves only in Node; the page need not carry them. */
function withoutNodePlatform(): Plugin {
  const placeholder = '\0node-platform';
  return {
    name: 'without-node-platform',
    enforce: 'pre',
    resolveId: (source) => (/\/(?:platform|image-store)-node\.js$/.test(source) ? placeholder : undefined),
    load: (id) =>
      id === placeholder ? 'export const nodePlatform = undefined, openImageStore = undefined;' : undefined,
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
