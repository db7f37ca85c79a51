# count: how many loop iterations and instructions this machine does in a second of its own clock (mtime). A few rounds,
# then it powers off. Bare metal in M-mode on the virt board.

        .equ    UART, 0x10000000
        .equ    LSR, 5
        .equ    LSR_IDLE, 0x20
        .equ    SYSCON, 0x100000
        .equ    POWEROFF, 0x5555
        .equ    MTIME, 0x200bff8
        .equ    HERTZ, 10000000         # of mtime
        .equ    ROUNDS, 4
        .equ    ROUND_TICKS, HERTZ / 4
        .equ    CHUNK, 100000           # iterations between two looks at the clock

        .text
        .globl  _start
_start:
        csrr    t0, mhartid
        bnez    t0, sleep
        la      sp, stack_top
        la      a0, title
        call    puts
        li      s0, 1                   # round
round:
        la      a0, round_text
        call    puts
        mv      a0, s0
        call    put_decimal
        li      s1, MTIME
        ld      s2, 0(s1)               # start
        csrr    s3, minstret
        li      s4, 0                   # iterations
        li      s5, ROUND_TICKS
1:      li      t0, CHUNK
        add     s4, s4, t0
        # The loop that is measured: 5 instructions.
2:      xor     t1, t1, t0
        slli    t2, t1, 1
        add     t1, t1, t2
        addi    t0, t0, -1
        bnez    t0, 2b
        ld      s6, 0(s1)
        sub     s6, s6, s2              # ticks so far
        bltu    s6, s5, 1b
        csrr    s7, minstret
        sub     s7, s7, s3              # instructions

        la      a0, separator
        call    puts
        mv      a0, s4
        call    put_rate
        la      a0, iterations_text
        call    puts
        mv      a0, s7
        call    put_rate
        la      a0, instructions_text
        call    puts
        addi    s0, s0, 1
        li      t0, ROUNDS
        ble     s0, t0, round

        li      t0, SYSCON
        li      t1, POWEROFF
        sw      t1, 0(t0)
sleep:  wfi
        j       sleep

# Prints a0 events in s6 ticks as events a second. a0 * HERTZ would overflow only after 10^12 events.
put_rate:
        li      t0, HERTZ
        mul     a0, a0, t0
        divu    a0, a0, s6
        j       put_decimal

# Prints a0 in decimal.
put_decimal:
        addi    sp, sp, -48
        sd      ra, 40(sp)
        sd      s0, 32(sp)
        addi    s0, sp, 31
        sb      zero, 0(s0)
        li      t0, 10
1:      remu    t1, a0, t0
        divu    a0, a0, t0
        addi    t1, t1, '0'
        addi    s0, s0, -1
        sb      t1, 0(s0)
        bnez    a0, 1b
        mv      a0, s0
        call    puts
        ld      s0, 32(sp)
        ld      ra, 40(sp)
        addi    sp, sp, 48
        ret

# Prints the string at a0.
puts:
        li      t0, UART
1:      lbu     t1, 0(a0)
        beqz    t1, 3f
2:      lbu     t2, LSR(t0)
        andi    t2, t2, LSR_IDLE
        beqz    t2, 2b
        sb      t1, 0(t0)
        addi    a0, a0, 1
        j       1b
3:      ret

        .section .rodata
title:  .asciz  "Counting: a loop of 5 instructions.\r\n"
round_text:
        .asciz  "round "
separator:
        .asciz  ": "
iterations_text:
        .asciz  " iterations/s, "
instructions_text:
        .asciz  " instructions/s\r\n"

        .bss
        .balign 16
stack:  .space  4096
stack_top:
