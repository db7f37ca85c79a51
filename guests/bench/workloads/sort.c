// Sorting with a comparison callback, as qsort does: quicksort, insertion sort for short runs, every comparison an
// indirect call.
#include "workload.h"

#define ITEMS 2048

struct item {
  u32 key, order;
};
typedef s32 comparison(const void *, const void *);

static struct item items[ITEMS];

static s32 by_key(const void *x, const void *y) {
  u32 a = ((const struct item *)x)->key, b = ((const struct item *)y)->key;
  return a < b ? -1 : a > b;
}

static s32 by_low_digits(const void *x, const void *y) {
  const struct item *a = x, *b = y;
  s32 difference = (s32)(a->key & 0xffff) - (s32)(b->key & 0xffff);
  return difference ? difference : (s32)(a->order - b->order);
}

static s32 descending(const void *x, const void *y) { return by_key(y, x); }

static void swap(struct item *a, struct item *b) {
  struct item held = *a;
  *a = *b;
  *b = held;
}

static NOINLINE void sort(struct item *base, u32 count, comparison *compare) {
  while (count > 12) {
    struct item *middle = base + count / 2, *last = base + count - 1;
    if (compare(middle, base) < 0) swap(middle, base);
    if (compare(last, base) < 0) swap(last, base);
    if (compare(last, middle) < 0) swap(last, middle);
    struct item pivot = *middle;
    struct item *low = base, *high = last;
    while (low <= high) {
      while (compare(low, &pivot) < 0) low++;
      while (compare(&pivot, high) < 0) high--;
      if (low <= high) swap(low++, high--);
    }
    u32 lower = (u32)(high + 1 - base), upper = (u32)(base + count - low);
    // The shorter part by recursion, the longer by the loop.
    if (lower < upper) {
      sort(base, lower, compare);
      base = low;
      count = upper;
    } else {
      sort(low, upper, compare);
      count = lower;
    }
  }
  for (u32 i = 1; i < count; i++)
    for (u32 j = i; j > 0 && compare(base + j, base + j - 1) < 0; j--) swap(base + j, base + j - 1);
}

static __typeof__(&sort) volatile sort_kernel = sort;
static comparison *volatile comparisons[] = {by_key, by_low_digits, descending};

u64 run(u64 n) {
  u64 sum = 0;
  u32 seed = 99;
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < ITEMS; i++) {
      items[i].key = random32(&seed) & 0xfffffff;
      items[i].order = i;
    }
    for (u32 i = 0; i < COUNT(comparisons); i++) {
      sort_kernel(items, ITEMS, comparisons[i]);
      sum = mix(sum, (u64)items[pass % ITEMS].key << 32 | items[(pass * 7 + i) % ITEMS].key);
    }
  }
  return sum;
}
