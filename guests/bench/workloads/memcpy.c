// memcpy, memmove, memset, memcmp and strlen as a C library has them, over lengths from a few bytes to 16 KiB.
#include "workload.h"

typedef usize word;
#define WORD sizeof(word)
#define ONES ((word)0x0101010101010101ull)
#define HIGHS ((word)0x8080808080808080ull)

static u8 source[16384 + 64] __attribute__((aligned(64)));
static u8 target[16384 + 64] __attribute__((aligned(64)));

static NOINLINE void copy(u8 *to, const u8 *from, usize bytes) {
  if ((((usize)to ^ (usize)from) & (WORD - 1)) == 0) {
    for (; bytes > 0 && ((usize)to & (WORD - 1)); bytes--) *to++ = *from++;
    for (; bytes >= 4 * WORD; bytes -= 4 * WORD, to += 4 * WORD, from += 4 * WORD) {
      const word *f = (const word *)from;
      word *t = (word *)to;
      word w0 = f[0], w1 = f[1], w2 = f[2], w3 = f[3];
      t[0] = w0, t[1] = w1, t[2] = w2, t[3] = w3;
    }
    for (; bytes >= WORD; bytes -= WORD, to += WORD, from += WORD) *(word *)to = *(const word *)from;
  }
  while (bytes--) *to++ = *from++;
}

static NOINLINE void copy_down(u8 *to, const u8 *from, usize bytes) {
  while (bytes--) to[bytes] = from[bytes];
}

static NOINLINE void fill(u8 *to, u8 value, usize bytes) {
  word all = ONES * value;
  for (; bytes > 0 && ((usize)to & (WORD - 1)); bytes--) *to++ = value;
  for (; bytes >= 4 * WORD; bytes -= 4 * WORD, to += 4 * WORD) {
    word *t = (word *)to;
    t[0] = all, t[1] = all, t[2] = all, t[3] = all;
  }
  while (bytes--) *to++ = value;
}

static NOINLINE s32 compare(const u8 *a, const u8 *b, usize bytes) {
  for (usize i = 0; i < bytes; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

static NOINLINE usize length(const u8 *text) {
  const u8 *at = text;
  for (; (usize)at & (WORD - 1); at++)
    if (!*at) return (usize)(at - text);
  for (;; at += WORD) {
    word w = *(const word *)at;
    if ((w - ONES) & ~w & HIGHS) break;
  }
  while (*at) at++;
  return (usize)(at - text);
}

KERNEL(copy_kernel, copy);
KERNEL(copy_down_kernel, copy_down);
KERNEL(fill_kernel, fill);
KERNEL(compare_kernel, compare);
KERNEL(length_kernel, length);

u64 run(u64 n) {
  static const u16 sizes[] = {7, 16, 31, 64, 100, 256, 1000, 4096, 16384};
  u64 sum = 0;
  u32 seed = 17;
  for (u32 i = 0; i < sizeof source; i++) source[i] = (u8)(random32(&seed) | 1);
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < COUNT(sizes); i++) {
      u32 bytes = sizes[i], shift = (u32)pass & 7;
      copy_kernel(target + shift, source + shift, bytes);
      // A copy without common alignment goes byte by byte: a short one.
      copy_kernel(target + 1, source, bytes & 127);
      target[bytes - 1] = 0;
      sum = mix(sum, length_kernel(target));
      sum = mix(sum, (u64)compare_kernel(target + 128, source + 128, bytes >> 2));
      fill_kernel(target + shift, (u8)pass, bytes);
      copy_down_kernel(target + 3, target, bytes & 511);
    }
    sum = mix(sum, target[pass & 16383]);
  }
  return sum;
}
