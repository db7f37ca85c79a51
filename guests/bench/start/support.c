// What compilers call on their own: copies and clears of structures and arrays.
#include "../workloads/workload.h"

void *memcpy(void *to, const void *from, usize bytes) {
  u8 *t = to;
  const u8 *f = from;
  while (bytes--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, usize bytes) {
  u8 *t = to;
  while (bytes--) *t++ = (u8)value;
  return to;
}
