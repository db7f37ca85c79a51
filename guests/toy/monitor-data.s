# The monitor's texts, its table of commands, and its memory.

        .section .rodata
welcome:
        .asciz  "\r\nHypertab monitor. Type help for what there is.\r\n"
prompt_text:
        .asciz  "> "
unknown_text:
        .asciz  "unknown command: type help\r\n"
number_text:
        .asciz  "a number is missing or wrong: 123 or 0x7b\r\n"
help_text:
        .ascii  "help             this list\r\n"
        .ascii  "regs             registers at the start, or at the last fault\r\n"
        .ascii  "peek ADDR        reads a 32-bit word\r\n"
        .ascii  "poke ADDR VALUE  writes a 32-bit word\r\n"
        .ascii  "dump ADDR LEN    shows memory\r\n"
        .ascii  "countdown [N]    counts down, one a second\r\n"
        .ascii  "time             how long this machine has been running\r\n"
        .ascii  "csr              control and status registers\r\n"
        .asciz  "off              powers off\r\n"
fault_text:
        .asciz  "fault: cause "
at_text:
        .asciz  " at "
value_text:
        .asciz  ", value "
pc_text:
        .asciz  "pc  "
ticks_text:
        .asciz  " ticks, "
seconds_text:
        .asciz  " seconds\r\n"
liftoff:
        .asciz  "lift-off\r\n"
bye:    .asciz  "bye\r\n"
control_c:
        .asciz  "^C"
rubout: .asciz  "\b \b"
gap:    .asciz  "  "
colon:  .asciz  ": "
newline:
        .asciz  "\r\n"
register_names:                         # 4 bytes each
        .asciz  "x0 ", "ra ", "sp ", "gp ", "tp ", "t0 ", "t1 ", "t2 "
        .asciz  "s0 ", "s1 ", "a0 ", "a1 ", "a2 ", "a3 ", "a4 ", "a5 "
        .asciz  "a6 ", "a7 ", "s2 ", "s3 ", "s4 ", "s5 ", "s6 ", "s7 "
        .asciz  "s8 ", "s9 ", "s10", "s11", "t3 ", "t4 ", "t5 ", "t6 "
csr_names:                              # 10 bytes each
        .asciz  "mstatus  ", "misa     ", "mvendorid", "marchid  ", "mimpid   ", "mhartid  ", "mtvec    "
        .asciz  "mie      ", "mip      ", "mcause   ", "mtval    ", "mcycle   ", "minstret "

name_help:
        .asciz  "help"
name_regs:
        .asciz  "regs"
name_peek:
        .asciz  "peek"
name_poke:
        .asciz  "poke"
name_dump:
        .asciz  "dump"
name_countdown:
        .asciz  "countdown"
name_time:
        .asciz  "time"
name_csr:
        .asciz  "csr"
name_off:
        .asciz  "off"
        .balign 8
commands:
        .dword  name_help, do_help, name_regs, do_regs, name_peek, do_peek, name_poke, do_poke
        .dword  name_dump, do_dump, name_countdown, do_countdown, name_time, do_time
        .dword  name_csr, do_csr, name_off, do_off, 0

        .bss
        .balign 16
saved:  .space  32 * 8                  # x0 to x31
line:   .space  LINE_BYTES
        .balign 16
stack:  .space  4096
stack_top:
