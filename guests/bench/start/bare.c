// A workload as an M-mode image for QEMU's virt board and Hypertab's: 16550 at 0x1000_0000, CLINT, syscon.
#include "program.h"

#define UART ((volatile u8 *)0x10000000)
#define UART_LINE_STATUS 5
#define UART_HOLDING_EMPTY 0x20
#define MTIME ((volatile u64 *)0x0200bff8)
#define TICK_NS 100
#define SYSCON ((volatile u32 *)0x00100000)
#define SYSCON_POWEROFF 0x5555

/** Behind the jump at 0x8000_0000, so that a host can set them in the file: N at +8, passes at +16. */
__asm__(
    ".section .text.start, \"ax\"\n"
    ".globl _start\n"
    ".option push\n.option norvc\n"
    "_start:\n  j 1f\n  nop\n"
    ".option pop\n"
    ".globl parameter_n\nparameter_n: .dword " DEFAULT_N_TEXT "\n"
    ".globl parameter_passes\nparameter_passes: .dword 1\n"
    "1:\n"
    ".option push\n.option norelax\n  la gp, __global_pointer$\n.option pop\n"
    "  la sp, stack_top\n"
    "  li t0, 0x2000\n  csrs mstatus, t0\n" // mstatus.FS = initial
    "  csrw fcsr, zero\n"
    "  la t0, bss_start\n  la t1, bss_end\n"
    "2:\n  bgeu t0, t1, 3f\n  sd zero, 0(t0)\n  addi t0, t0, 8\n  j 2b\n"
    "3:\n  call start_program\n"
    ".text\n");

extern volatile u64 parameter_n, parameter_passes;

static u64 clock_ns(void) { return *MTIME * TICK_NS; }

static void write_bytes(const char *bytes, usize length) {
  for (usize i = 0; i < length; i++) {
    while (!(UART[UART_LINE_STATUS] & UART_HOLDING_EMPTY)) {
    }
    UART[0] = (u8)bytes[i];
  }
}

__attribute__((used, noreturn)) void start_program(void) {
  run_passes(parameter_n, (u32)parameter_passes);
  for (;;) *SYSCON = SYSCON_POWEROFF;
}
