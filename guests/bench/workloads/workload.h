// What every workload may use. No libc: the same source becomes riscv64 and i386 Linux programs, a bare-metal
// image and a wasm32 module.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef __SIZE_TYPE__ usize;
typedef double f64;

/** Does the work `n` times and returns a checksum of the results: equal on every machine. */
u64 run(u64 n);

/**
 * Declares `name` as a pointer to a kernel that the compiler cannot see through. V8 replaces baseline code by
 * optimised code only when a function is entered again, so a kernel must stay a function and be called often.
 */
#define KERNEL(name, function) static __typeof__(&function) volatile name = function

#define NOINLINE __attribute__((noinline))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline u64 mix(u64 sum, u64 value) {
  sum = (sum ^ value) * 0x9e3779b97f4a7c15ull;
  return sum ^ (sum >> 29);
}

/** Marsaglia's xorshift32; the state must not be zero. */
static inline u32 random32(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline u64 bits_of(f64 value) {
  union {
    f64 value;
    u64 bits;
  } both = {value};
  return both.bits;
}

static inline u32 rotate_left(u32 value, u32 by) { return (value << by) | (value >> (32 - by)); }
