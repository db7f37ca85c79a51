// f64 matrices: product, and solution of a linear system by elimination with pivots.
#include "workload.h"

#define SIDE 32

static f64 a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
static f64 vector[SIDE];

static NOINLINE void multiply(f64 (*to)[SIDE], f64 (*x)[SIDE], f64 (*y)[SIDE]) {
  for (u32 i = 0; i < SIDE; i++) {
    for (u32 j = 0; j < SIDE; j++) to[i][j] = 0;
    for (u32 k = 0; k < SIDE; k++) {
      f64 factor = x[i][k];
      for (u32 j = 0; j < SIDE; j++) to[i][j] += factor * y[k][j];
    }
  }
}

/** Replaces `right` by the solution; `m` is used up. */
static NOINLINE void solve(f64 (*m)[SIDE], f64 *right) {
  for (u32 k = 0; k < SIDE; k++) {
    u32 pivot = k;
    for (u32 i = k + 1; i < SIDE; i++)
      if (__builtin_fabs(m[i][k]) > __builtin_fabs(m[pivot][k])) pivot = i;
    for (u32 j = 0; j < SIDE && pivot != k; j++) {
      f64 held = m[k][j];
      m[k][j] = m[pivot][j];
      m[pivot][j] = held;
    }
    f64 held = right[k];
    right[k] = right[pivot];
    right[pivot] = held;
    for (u32 i = k + 1; i < SIDE; i++) {
      f64 factor = m[i][k] / m[k][k];
      for (u32 j = k; j < SIDE; j++) m[i][j] -= factor * m[k][j];
      right[i] -= factor * right[k];
    }
  }
  for (u32 k = SIDE; k-- > 0;) {
    f64 value = right[k];
    for (u32 j = k + 1; j < SIDE; j++) value -= m[k][j] * right[j];
    right[k] = value / m[k][k];
  }
}

KERNEL(multiply_kernel, multiply);
KERNEL(solve_kernel, solve);

u64 run(u64 n) {
  u64 sum = 0;
  u32 seed = 41;
  for (u64 pass = 0; pass < n; pass++) {
    for (u32 i = 0; i < SIDE; i++) {
      for (u32 j = 0; j < SIDE; j++) {
        a[i][j] = (f64)(random32(&seed) >> 20) * 0.0009765625 - 2;
        b[i][j] = i == j ? 2 : (f64)(seed & 0xff) * 0.00390625;
      }
      vector[i] = (f64)i - 3;
    }
    multiply_kernel(c, a, b);
    multiply_kernel(a, c, b);
    solve_kernel(a, vector);
    for (u32 i = 0; i < SIDE; i += 5) sum = mix(sum, bits_of(vector[i]));
  }
  return sum;
}
