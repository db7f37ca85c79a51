// Balanced trees in allocated memory: insertion with rotations, look-up, a walk by recursion, release.
#include "heap.h"

struct tree {
  struct tree *left, *right;
  u32 key, priority;
};

static NOINLINE struct tree *insert(struct tree *tree, u32 key, u32 priority) {
  if (!tree) {
    struct tree *leaf = heap_allocate(sizeof *leaf);
    if (leaf) *leaf = (struct tree){0, 0, key, priority};
    return leaf;
  }
  if (key == tree->key) return tree;
  struct tree **side = key < tree->key ? &tree->left : &tree->right;
  struct tree *child = insert(*side, key, priority);
  *side = child;
  if (!child || child->priority <= tree->priority) return tree;
  // The child comes up: a treap's priorities fall from the root.
  if (side == &tree->left) {
    tree->left = child->right;
    child->right = tree;
  } else {
    tree->right = child->left;
    child->left = tree;
  }
  return child;
}

static NOINLINE u32 contains(const struct tree *tree, u32 key) {
  while (tree && tree->key != key) tree = key < tree->key ? tree->left : tree->right;
  return tree != 0;
}

static NOINLINE u32 depth_sum(const struct tree *tree, u32 depth) {
  if (!tree) return depth;
  return depth_sum(tree->left, depth + 1) + (tree->key ^ depth) + depth_sum(tree->right, depth + 1);
}

static NOINLINE void release(struct tree *tree) {
  if (!tree) return;
  release(tree->left);
  release(tree->right);
  heap_release(tree);
}

KERNEL(insert_kernel, insert);
KERNEL(contains_kernel, contains);
KERNEL(depth_kernel, depth_sum);
KERNEL(release_kernel, release);

u64 run(u64 n) {
  heap_reset();
  u64 sum = 0;
  u32 seed = 13;
  for (u64 pass = 0; pass < n; pass++) {
    struct tree *tree = 0;
    for (u32 i = 0; i < 700; i++) {
      u32 key = random32(&seed) & 0xfff;
      tree = insert_kernel(tree, key, random32(&seed));
    }
    u32 found = 0;
    for (u32 i = 0; i < 1400; i++) found += contains_kernel(tree, i * 3 & 0xfff);
    sum = mix(sum, (u64)found << 32 | depth_kernel(tree, 0));
    release_kernel(tree);
  }
  return sum;
}
