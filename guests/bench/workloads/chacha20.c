// A stream cipher: ChaCha20 (RFC 8439) over 4 KiB. Sixteen words that want to stay in registers.
#include "workload.h"

static u32 text[1024];

#define QUARTER(a, b, c, d)      \
  a += b, d = rotate_left(d ^ a, 16); \
  c += d, b = rotate_left(b ^ c, 12); \
  a += b, d = rotate_left(d ^ a, 8);  \
  c += d, b = rotate_left(b ^ c, 7)

/** Encrypts one block of 16 words in place. */
static NOINLINE void chacha_block(const u32 *key, u32 counter, u32 *block) {
  u32 start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (u32 i = 0; i < 8; i++) start[4 + i] = key[i];
  start[12] = counter, start[13] = 1, start[14] = 2, start[15] = 3;
  u32 x0 = start[0], x1 = start[1], x2 = start[2], x3 = start[3];
  u32 x4 = start[4], x5 = start[5], x6 = start[6], x7 = start[7];
  u32 x8 = start[8], x9 = start[9], x10 = start[10], x11 = start[11];
  u32 x12 = start[12], x13 = start[13], x14 = start[14], x15 = start[15];
  for (u32 round = 0; round < 10; round++) {
    QUARTER(x0, x4, x8, x12);
    QUARTER(x1, x5, x9, x13);
    QUARTER(x2, x6, x10, x14);
    QUARTER(x3, x7, x11, x15);
    QUARTER(x0, x5, x10, x15);
    QUARTER(x1, x6, x11, x12);
    QUARTER(x2, x7, x8, x13);
    QUARTER(x3, x4, x9, x14);
  }
  u32 end[16] = {x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15};
  for (u32 i = 0; i < 16; i++) block[i] ^= start[i] + end[i];
}

KERNEL(block_kernel, chacha_block);

u64 run(u64 n) {
  u32 key[8];
  for (u32 i = 0; i < 8; i++) key[i] = i * 0x01010101;
  for (u32 i = 0; i < COUNT(text); i++) text[i] = i;
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 at = 0; at < COUNT(text); at += 16) block_kernel(key, (u32)pass + at, text + at);
    sum = mix(sum, text[pass & 1023]);
  }
  for (u32 i = 0; i < COUNT(text); i++) sum = mix(sum, text[i]);
  return sum;
}
