// f64 multiplications and additions in a tight loop that ends by comparison: the Mandelbrot set.
#include "workload.h"

#define SIDE 32
#define LIMIT 160

static NOINLINE u32 row(f64 y, f64 left, f64 step) {
  u32 total = 0;
  for (u32 i = 0; i < SIDE; i++) {
    f64 x = left + step * (f64)i, a = 0, b = 0, a2 = 0, b2 = 0;
    u32 count = 0;
    while (count < LIMIT && a2 + b2 <= 4) {
      b = 2 * a * b + y;
      a = a2 - b2 + x;
      a2 = a * a;
      b2 = b * b;
      count++;
    }
    total = total * 31 + count;
  }
  return total;
}

KERNEL(row_kernel, row);

u64 run(u64 n) {
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    f64 shift = (f64)(pass & 15) * 0.001;
    for (u32 i = 0; i < SIDE; i++) sum = mix(sum, row_kernel(-1.2 + (f64)i * 0.075, -2 + shift, 0.078125));
  }
  return sum;
}
