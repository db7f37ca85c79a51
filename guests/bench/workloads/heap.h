// A small allocator: size classes of 16 bytes with free lists, cut from one arena. What a program's malloc does
// most of the time.
#pragma once
#include "workload.h"

#define HEAP_BYTES (4 << 20)
#define HEAP_CLASSES 64

struct free_block {
  struct free_block *next;
};

static u8 heap_arena[HEAP_BYTES] __attribute__((aligned(16)));
static usize heap_used;
static struct free_block *heap_free[HEAP_CLASSES];

static void heap_reset(void) {
  heap_used = 0;
  for (u32 i = 0; i < HEAP_CLASSES; i++) heap_free[i] = 0;
}

/** Blocks carry their class in the 16 bytes before them. */
static NOINLINE void *heap_allocate(usize bytes) {
  usize class = (bytes + 15) >> 4;
  if (class >= HEAP_CLASSES) return 0;
  struct free_block *block = heap_free[class];
  if (block) {
    heap_free[class] = block->next;
    return block;
  }
  usize whole = 16 + (class << 4);
  if (heap_used + whole > HEAP_BYTES) return 0;
  u8 *start = heap_arena + heap_used;
  heap_used += whole;
  *(u32 *)start = (u32)class;
  return start + 16;
}

static NOINLINE void heap_release(void *pointer) {
  struct free_block *block = pointer;
  u32 class = *(u32 *)((u8 *)pointer - 16);
  block->next = heap_free[class];
  heap_free[class] = block;
}
