# hello: prints a greeting and powers off. Bare metal in M-mode on the virt board.

        .equ    UART, 0x10000000        # 16550: data register
        .equ    LSR, 5                  # its line status register
        .equ    LSR_IDLE, 0x20          # room for a byte
        .equ    SYSCON, 0x100000
        .equ    POWEROFF, 0x5555

        .text
        .globl  _start
_start:
        csrr    t0, mhartid
        bnez    t0, sleep               # one hart greets, the others sleep
        la      s0, greeting
        li      s1, UART
1:      lbu     a0, 0(s0)
        beqz    a0, off
2:      lbu     t0, LSR(s1)
        andi    t0, t0, LSR_IDLE
        beqz    t0, 2b
        sb      a0, 0(s1)
        addi    s0, s0, 1
        j       1b

off:    li      t0, SYSCON
        li      t1, POWEROFF
        sw      t1, 0(t0)
sleep:  wfi
        j       sleep

        .section .rodata
greeting:
        .asciz  "Hello from a RISC-V machine.\r\n"
