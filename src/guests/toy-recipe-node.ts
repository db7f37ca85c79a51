import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from './paths-node.ts';
import type { Recipe } from './recipe-node.ts';
import { buildToyGuest } from './toy-guests.ts';

/** A bare-metal program, assembled from guests/toy/NAME.s; it starts in M-mode in place of a firmware. */
export function toyRecipe(name: string): Recipe {
  const source = () => readFile(join(packageFolder(), 'guests', 'toy', `${name}.s`), 'utf8');
  return {
    inputs: source,
    make: async (kitchen) => {
      kitchen.onProgress({ kind: 'step', text: `assembling ${name}.s` });
      return { bios: await kitchen.write('bios', buildToyGuest(await source())) };
    },
  };
}
