// A stage of a build under way: an image that grows.
import { openLayer } from '../../../storage/tree/layer-tree.ts';
import { MemoryTree } from '../../../storage/tree/memory-tree.ts';
import { OverlayTree } from '../../../storage/tree/overlay-tree.ts';
import type { ContentStore, LayerRecord } from '../content-store.ts';
import type { Digest, ImageConfig } from '../types.ts';
import { TreeView } from './tree-view.ts';

/** What has been made of a stage so far. */
export interface StageState {
  /** Undefined: from scratch, and nothing made yet. */
  image: Digest | undefined;
  config: ImageConfig;
  /** The lowest first. */
  layers: readonly LayerRecord[];
}

/** The files of a stage, as a container of it would see them. */
export async function viewOf(store: ContentStore, layers: readonly LayerRecord[]): Promise<TreeView> {
  if (layers.length === 0) return new TreeView(new MemoryTree({ capacity: 1 << 16, readonly: true }));
  const sources: { close(): void }[] = [];
  const trees = [];
  for (const { diffId } of [...layers].reverse()) {
    const source = await store.open(diffId);
    sources.push(source);
    trees.push(await openLayer(source, { name: `layer ${diffId}`, whiteouts: true }));
  }
  const tree = new OverlayTree(trees);
  const view = new TreeView(tree);
  const close = view.close.bind(view);
  view.close = async () => {
    await close();
    for (const source of sources) source.close();
  };
  return view;
}
