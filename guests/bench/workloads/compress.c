// Compression: matches in a window through a hash of three bytes, written as literals and copies, and back again.
#include "workload.h"

#define INPUT 8192

static u8 input[INPUT], packed[INPUT + INPUT / 8 + 16], unpacked[INPUT];
static u16 heads[1024];

static NOINLINE u32 pack(const u8 *from, u32 length, u8 *to) {
  u32 at = 0, out = 0;
  for (u32 i = 0; i < COUNT(heads); i++) heads[i] = 0xffff;
  while (at < length) {
    u32 flags = out++, bits = 0;
    for (u32 item = 0; item < 8 && at < length; item++) {
      u32 size = 0, back = 0;
      if (at + 3 < length) {
        u32 three = from[at] | (u32)from[at + 1] << 8 | (u32)from[at + 2] << 16;
        u16 *head = &heads[(three * 2654435761u) >> 22];
        u32 before = *head;
        *head = (u16)at;
        if (before != 0xffff && at - before < 4096) {
          back = at - before;
          while (size < 18 && at + size < length && from[before + size] == from[at + size]) size++;
        }
      }
      if (size >= 3) {
        u32 pair = back << 4 | (size - 3);
        to[out++] = (u8)pair;
        to[out++] = (u8)(pair >> 8);
        bits |= 1u << item;
        at += size;
      } else {
        to[out++] = from[at++];
      }
    }
    to[flags] = (u8)bits;
  }
  return out;
}

static NOINLINE u32 unpack(const u8 *from, u32 length, u8 *to, u32 room) {
  u32 at = 0, out = 0;
  while (at < length) {
    u32 bits = from[at++];
    for (u32 item = 0; item < 8 && at < length; item++, bits >>= 1) {
      if (bits & 1) {
        u32 pair = from[at] | (u32)from[at + 1] << 8;
        at += 2;
        u32 back = pair >> 4, size = (pair & 15) + 3;
        for (; size > 0 && out < room; size--, out++) to[out] = to[out - back];
      } else if (out < room) {
        to[out++] = from[at++];
      }
    }
  }
  return out;
}

KERNEL(pack_kernel, pack);
KERNEL(unpack_kernel, unpack);

u64 run(u64 n) {
  u64 sum = 0;
  u32 seed = 29;
  for (u32 i = 0; i < INPUT;) {
    // Phrases come back, with something new between them.
    u32 size = 4 + (random32(&seed) >> 7) % 24, from = i > 64 ? (seed >> 3) % (i - 32) : 0;
    for (u32 j = 0; j < size && i < INPUT; j++, i++)
      input[i] = i > 64 && (seed & 3) ? input[from + j] : (u8)('a' + (random32(&seed) >> 9) % 20);
  }
  for (u64 pass = 0; pass < n; pass++) {
    input[(pass * 37) & (INPUT - 1)] ^= 1;
    u32 length = pack_kernel(input, INPUT, packed);
    u32 whole = unpack_kernel(packed, length, unpacked, INPUT);
    u32 equal = 0;
    for (u32 i = 0; i < INPUT; i++) equal += input[i] == unpacked[i];
    sum = mix(sum, (u64)length << 32 | whole << 16 | equal);
  }
  return sum;
}
