// Programs for tests that run in a process, a worker or a page of their own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const folders: string[] = [];

/** A folder of the test's own; removeFolders() takes it away. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-storage-'));
  folders.push(folder);
  return folder;
}

/** Removes what temporaryFolder() made. */
export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

/**
 * Bundles a TypeScript file of this folder with all it imports, for Node.
 * @returns path of the program
 */
export async function bundleForNode(name: string): Promise<string> {
  const outDir = await temporaryFolder();
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: fileURLToPath(new URL(`./${name}.ts`, import.meta.url)),
      outDir,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
  });
  return join(outDir, `${name}.mjs`);
}
