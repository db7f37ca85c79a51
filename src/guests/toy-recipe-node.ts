import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from './paths-node.ts';
import type { Recipe } from './recipe-node.ts';
import { buildToyGuest, type ToyGuest } from './toy-guests.ts';

/** A toy guest's whole source. */
export async function readToySource(toy: ToyGuest): Promise<string> {
  const folder = join(packageFolder(), 'guests', 'toy');
  const parts = await Promise.all(toy.sources.map((name) => readFile(join(folder, name), 'utf8')));
  return parts.join('\n');
}

/** A bare-metal program, assembled from our own source; it starts in M-mode in place of a firmware. */
export function toyRecipe(toy: ToyGuest): Recipe {
  return {
    inputs: () => readToySource(toy),
    make: async (kitchen) => {
      kitchen.onProgress({ kind: 'step', text: `assembling ${toy.sources.join(', ')}` });
      return { bios: await kitchen.write('bios', buildToyGuest(await readToySource(toy))) };
    },
  };
}
