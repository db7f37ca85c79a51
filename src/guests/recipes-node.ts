import { busyboxRecipe } from './busybox-recipe-node.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { Recipe } from './recipe-node.ts';
import { toyRecipe } from './toy-recipe-node.ts';

const debianRecipes: Record<string, Recipe> = {
  busybox: busyboxRecipe,
  'busybox-stock': busyboxRecipe,
};

/** How a guest of the catalogue is made. */
export function recipeOf(entry: CatalogueEntry): Recipe {
  const recipe = entry.kind === 'toy' ? toyRecipe(entry.name) : debianRecipes[entry.name];
  if (recipe === undefined) throw new Error(`the catalogue has ${entry.name}, but there is no recipe for it`);
  return recipe;
}
