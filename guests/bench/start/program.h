// What the Linux programs and the bare-metal image share: passes, timing and output.
#pragma once
#include "../workloads/workload.h"

/** Nanoseconds of a clock that only goes forward. */
static u64 clock_ns(void);
static void write_bytes(const char *bytes, usize length);

/** Decimal digits without a division of 64 bits, which 32-bit machines call a library for. */
static char *put_decimal(char *to, u64 value) {
  static const u64 powers[] = {
      10000000000000000000ull, 1000000000000000000ull, 100000000000000000ull, 10000000000000000ull,
      1000000000000000ull, 100000000000000ull, 10000000000000ull, 1000000000000ull, 100000000000ull,
      10000000000ull, 1000000000ull, 100000000ull, 10000000ull, 1000000ull, 100000ull, 10000ull, 1000ull, 100ull,
      10ull, 1ull};
  int begun = 0;
  for (u32 i = 0; i < COUNT(powers); i++) {
    char digit = '0';
    while (value >= powers[i]) value -= powers[i], digit++;
    if (digit != '0' || begun || i == COUNT(powers) - 1) *to++ = digit, begun = 1;
  }
  return to;
}

static char *put_text(char *to, const char *text) {
  while (*text) *to++ = *text++;
  return to;
}

/** Runs the workload `passes` times; prints for each a line `checksum <16 hex digits> ns <decimal>`. */
static void run_passes(u64 n, u32 passes) {
  for (u32 pass = 0; pass < passes; pass++) {
    u64 start = clock_ns();
    u64 checksum = run(n);
    u64 elapsed = clock_ns() - start;
    char line[80], *end = put_text(line, "checksum ");
    for (int shift = 60; shift >= 0; shift -= 4) *end++ = "0123456789abcdef"[checksum >> shift & 15];
    end = put_decimal(put_text(end, " ns "), elapsed);
    *end++ = '\n';
    write_bytes(line, (usize)(end - line));
  }
}
