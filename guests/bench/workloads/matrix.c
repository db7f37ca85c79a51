// Integer matrices of 32-bit words: products and transposition. Multiplication, and loads at two strides.
#include "workload.h"

#define SIDE 40

static u32 a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

static NOINLINE void multiply(u32 (*to)[SIDE], u32 (*x)[SIDE], u32 (*y)[SIDE]) {
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      u32 cell = 0;
      for (u32 k = 0; k < SIDE; k++) cell += x[i][k] * y[k][j];
      to[i][j] = cell;
    }
}

static NOINLINE void transpose(u32 (*x)[SIDE]) {
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < i; j++) {
      u32 cell = x[i][j];
      x[i][j] = x[j][i];
      x[j][i] = cell;
    }
}

KERNEL(multiply_kernel, multiply);
KERNEL(transpose_kernel, transpose);

u64 run(u64 n) {
  u32 seed = 7;
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      a[i][j] = random32(&seed);
      b[i][j] = seed >> 3 | 1;
    }
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    multiply_kernel(c, a, b);
    transpose_kernel(c);
    multiply_kernel(a, b, c);
    sum = mix(sum, a[pass % SIDE][1]);
  }
  return sum;
}
