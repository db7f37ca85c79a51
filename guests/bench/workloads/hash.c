// A hash table of strings with an allocator of its own: insertions, look-ups, removals, growth.
#include "heap.h"

struct entry {
  struct entry *next;
  u32 hash, value;
  char key[];
};
struct table {
  struct entry **buckets;
  u32 size, used;
};

static struct entry *all_buckets[2][4096];

static u32 hash_key(const char *key) {
  u32 hash = 2166136261u;
  for (; *key; key++) hash = (hash ^ (u8)*key) * 16777619u;
  return hash;
}

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static NOINLINE struct entry **find(struct table *table, const char *key, u32 hash) {
  struct entry **at = &table->buckets[hash & (table->size - 1)];
  while (*at && ((*at)->hash != hash || !same((*at)->key, key))) at = &(*at)->next;
  return at;
}

static NOINLINE void grow(struct table *table) {
  struct entry **old = table->buckets;
  struct entry **larger = all_buckets[old == all_buckets[0]];
  u32 size = table->size * 2;
  for (u32 i = 0; i < size; i++) larger[i] = 0;
  for (u32 i = 0; i < table->size; i++)
    for (struct entry *entry = old[i], *next; entry; entry = next) {
      next = entry->next;
      entry->next = larger[entry->hash & (size - 1)];
      larger[entry->hash & (size - 1)] = entry;
    }
  table->buckets = larger;
  table->size = size;
}

static NOINLINE u32 add(struct table *table, const char *key, u32 length, u32 value) {
  u32 hash = hash_key(key);
  struct entry **at = find(table, key, hash);
  if (*at) return (*at)->value += value;
  struct entry *entry = heap_allocate(sizeof *entry + length + 1);
  if (!entry) return 0;
  for (u32 i = 0; i <= length; i++) entry->key[i] = key[i];
  entry->hash = hash, entry->value = value, entry->next = 0;
  *at = entry;
  if (++table->used > table->size && table->size < 4096) grow(table);
  return value;
}

static NOINLINE u32 take(struct table *table, const char *key) {
  struct entry **at = find(table, key, hash_key(key)), *entry = *at;
  if (!entry) return 0;
  u32 value = entry->value;
  *at = entry->next;
  heap_release(entry);
  table->used--;
  return value;
}

KERNEL(add_kernel, add);
KERNEL(take_kernel, take);

static u32 make_key(char *key, u32 number) {
  u32 length = 0;
  do {
    key[length++] = (char)('a' + (number & 15));
    number >>= 4;
  } while (number);
  key[length] = 0;
  return length;
}

u64 run(u64 n) {
  struct table table = {all_buckets[0], 16, 0};
  for (u32 i = 0; i < 16; i++) table.buckets[i] = 0;
  heap_reset();
  u64 sum = 0;
  u32 seed = 77;
  char key[16];
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < 512; i++) {
      u32 number = random32(&seed) & 0x3fff;
      u32 length = make_key(key, number * 2654435761u >> 12);
      if (seed >> 28 < 9) sum = mix(sum, add_kernel(&table, key, length, number));
      else sum = mix(sum, take_kernel(&table, key));
    }
  }
  return mix(sum, table.used);
}
