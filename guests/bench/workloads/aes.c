// A block cipher by tables: AES-128 (FIPS 197) encryption with four tables of 1 KiB. Dependent byte-indexed loads.
#include "workload.h"

static u8 substitute[256];
static u32 tables[4][256];
static u32 round_keys[44];

static u8 times_two(u8 value) { return (u8)(value << 1 ^ (value & 0x80 ? 0x1b : 0)); }

/** Builds the S-box by walking the field with its generator 3 and its inverse, then the tables. */
static void make_tables(void) {
  u8 power = 1, inverse = 1;
  do {
    power ^= times_two(power);
    inverse ^= (u8)(inverse << 1);
    inverse ^= (u8)(inverse << 2);
    inverse ^= (u8)(inverse << 4);
    if (inverse & 0x80) inverse ^= 0x09;
    u32 twice = inverse | (u32)inverse << 8;
    substitute[power] = (u8)(inverse ^ twice >> 7 ^ twice >> 6 ^ twice >> 5 ^ twice >> 4 ^ 0x63);
  } while (power != 1);
  substitute[0] = 0x63;
  for (u32 i = 0; i < 256; i++) {
    u8 s = substitute[i], s2 = times_two(s);
    u32 column = (u32)s2 << 24 | (u32)s << 16 | (u32)s << 8 | (u8)(s2 ^ s);
    for (u32 t = 0; t < 4; t++) {
      tables[t][i] = column;
      column = rotate_left(column, 24);
    }
  }
}

static u32 substitute_word(u32 word) {
  return (u32)substitute[word >> 24] << 24 | (u32)substitute[word >> 16 & 255] << 16 |
         (u32)substitute[word >> 8 & 255] << 8 | substitute[word & 255];
}

static void expand_key(const u32 *key) {
  u8 constant = 1;
  for (u32 i = 0; i < 44; i++) {
    if (i < 4) {
      round_keys[i] = key[i];
      continue;
    }
    u32 word = round_keys[i - 1];
    if (i % 4 == 0) {
      word = substitute_word(rotate_left(word, 8)) ^ (u32)constant << 24;
      constant = times_two(constant);
    }
    round_keys[i] = round_keys[i - 4] ^ word;
  }
}

#define COLUMN(a, b, c, d, key)                                                                        \
  (tables[0][(a) >> 24] ^ tables[1][(b) >> 16 & 255] ^ tables[2][(c) >> 8 & 255] ^ tables[3][(d) & 255] ^ \
   (key))

static u32 last_column(u32 a, u32 b, u32 c, u32 d, u32 key) {
  return key ^ ((u32)substitute[a >> 24] << 24 | (u32)substitute[b >> 16 & 255] << 16 |
                (u32)substitute[c >> 8 & 255] << 8 | substitute[d & 255]);
}

static NOINLINE void aes_block(u32 *block) {
  const u32 *key = round_keys;
  u32 a = block[0] ^ key[0], b = block[1] ^ key[1], c = block[2] ^ key[2], d = block[3] ^ key[3];
  for (u32 round = 1; round < 10; round++) {
    key += 4;
    u32 a2 = COLUMN(a, b, c, d, key[0]);
    u32 b2 = COLUMN(b, c, d, a, key[1]);
    u32 c2 = COLUMN(c, d, a, b, key[2]);
    u32 d2 = COLUMN(d, a, b, c, key[3]);
    a = a2, b = b2, c = c2, d = d2;
  }
  key += 4;
  block[0] = last_column(a, b, c, d, key[0]);
  block[1] = last_column(b, c, d, a, key[1]);
  block[2] = last_column(c, d, a, b, key[2]);
  block[3] = last_column(d, a, b, c, key[3]);
}

KERNEL(block_kernel, aes_block);

u64 run(u64 n) {
  u32 key[4] = {0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f};
  u32 block[4] = {0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff};
  make_tables();
  expand_key(key);
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < 64; i++) block_kernel(block);
    sum = mix(sum, (u64)block[0] << 32 | block[3]);
  }
  return sum;
}
