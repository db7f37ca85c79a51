import { busyboxRecipe } from './busybox-recipe-node.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { containerHostRecipe } from './container-host-recipe-node.ts';
import { debianRecipe } from './debian-recipe-node.ts';
import type { Recipe } from './recipe-node.ts';
import { TOY_GUESTS } from './toy-guests.ts';
import { toyRecipe } from './toy-recipe-node.ts';

const debianRecipes: Record<string, Recipe> = {
  busybox: busyboxRecipe,
  'busybox-stock': busyboxRecipe,
  debian: debianRecipe,
  'container-host': containerHostRecipe,
};

/** How a guest of the catalogue is made. */
export function recipeOf(entry: CatalogueEntry): Recipe {
  const toy = TOY_GUESTS.find(({ name }) => name === entry.name);
  const recipe = toy === undefined ? debianRecipes[entry.name] : toyRecipe(toy);
  if (recipe === undefined) throw new Error(`the catalogue has ${entry.name}, but there is no recipe for it`);
  return recipe;
}
