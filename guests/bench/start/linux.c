// A workload as a static Linux program for riscv64, i386 and x86-64: PROGRAM N [PASSES].
#include "program.h"

#define CLOCK_MONOTONIC 1

struct timespec64 {
  s64 seconds;
  s32 nanoseconds, padding;
};

#if defined(__riscv)
enum { SYS_WRITE = 64, SYS_EXIT_GROUP = 94, SYS_CLOCK_GETTIME = 113 };

static long system_call(long number, long first, long second, long third) {
  register long a7 __asm__("a7") = number;
  register long a0 __asm__("a0") = first;
  register long a1 __asm__("a1") = second;
  register long a2 __asm__("a2") = third;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

__asm__(".globl _start\n_start:\n"
        "  .option push\n  .option norelax\n  la gp, __global_pointer$\n  .option pop\n"
        "  mv a0, sp\n  andi sp, sp, -16\n  call start_program\n");

#elif defined(__i386__)
// clock_gettime64: seconds of 64 bits, as the others have them.
enum { SYS_WRITE = 4, SYS_EXIT_GROUP = 252, SYS_CLOCK_GETTIME = 403 };

static long system_call(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
  return result;
}

__asm__(".globl _start\n_start:\n  mov %esp, %eax\n  and $-16, %esp\n  sub $12, %esp\n  push %eax\n"
        "  call start_program\n");

#elif defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_EXIT_GROUP = 231, SYS_CLOCK_GETTIME = 228 };

static long system_call(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start_program\n");
#else
#error "no Linux start for this machine"
#endif

static u64 clock_ns(void) {
  struct timespec64 now = {0, 0, 0};
  system_call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&now, 0);
  return (u64)now.seconds * 1000000000ull + (u32)now.nanoseconds;
}

static void write_bytes(const char *bytes, usize length) { system_call(SYS_WRITE, 1, (long)bytes, (long)length); }

static u64 number(const char *text) {
  u64 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (u64)(*text - '0');
  return value;
}

/** `stack`: argc, then the arguments, as the kernel leaves them. */
__attribute__((used, noreturn)) void start_program(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  run_passes(count > 1 ? number(arguments[1]) : DEFAULT_N, count > 2 ? (u32)number(arguments[2]) : 1);
  for (;;) system_call(SYS_EXIT_GROUP, 0, 0, 0);
}
