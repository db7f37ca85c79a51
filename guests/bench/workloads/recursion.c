// Recursive calls: Fibonacci, Takeuchi, the Ackermann function and the queens problem. Calls, returns, stack.
#include "workload.h"

static NOINLINE u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static NOINLINE s32 takeuchi(s32 x, s32 y, s32 z) {
  if (y >= x) return z;
  return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

static NOINLINE u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

/** Ways to complete a board whose attacked columns and diagonals are given as bits. */
static NOINLINE u32 queens(u32 all, u32 columns, u32 rising, u32 falling) {
  if (columns == all) return 1;
  u32 ways = 0;
  for (u32 open = all & ~(columns | rising | falling); open; open &= open - 1) {
    u32 place = open & -open;
    ways += queens(all, columns | place, (rising | place) << 1, (falling | place) >> 1);
  }
  return ways;
}

KERNEL(fibonacci_kernel, fibonacci);
KERNEL(takeuchi_kernel, takeuchi);
KERNEL(ackermann_kernel, ackermann);
KERNEL(queens_kernel, queens);

u64 run(u64 n) {
  u64 sum = 0;
  for (u64 pass = 0; pass < n; pass++) {
    u32 some = (u32)pass & 1;
    sum = mix(sum, fibonacci_kernel(17 + some));
    sum = mix(sum, (u64)takeuchi_kernel(10, 5 + (s32)some, 1));
    sum = mix(sum, ackermann_kernel(2, 28 + some));
    sum = mix(sum, queens_kernel((2u << (5 + some)) - 1, 0, 0, 0));
  }
  return sum;
}
