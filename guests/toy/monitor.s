# monitor: a tiny machine monitor. Bare metal in M-mode on the virt board. It sleeps (wfi) while nobody types.

        .equ    UART, 0x10000000        # 16550
        .equ    IER, 1
        .equ    LSR, 5
        .equ    LSR_DATA, 0x01
        .equ    LSR_IDLE, 0x20
        .equ    UART_IRQ, 10
        .equ    PLIC_PRIORITY, 0xc000000
        .equ    PLIC_ENABLE, 0xc002000  # context 0: hart 0 in M-mode
        .equ    PLIC_THRESHOLD, 0xc200000
        .equ    PLIC_CLAIM, 4           # from the threshold
        .equ    SYSCON, 0x100000
        .equ    POWEROFF, 0x5555
        .equ    MTIME, 0x200bff8
        .equ    MTIMECMP, 0x2004000
        .equ    HERTZ, 10000000
        .equ    MIE_MTIE, 1 << 7
        .equ    MIE_MEIE, 1 << 11
        .equ    LINE_BYTES, 80

        .text
        .globl  _start
_start:
        csrw    mscratch, t0
        la      t0, saved
        sd      x1, 8(t0)
        jal     ra, save_registers
        csrr    t0, mhartid
        bnez    t0, sleep
        la      t0, trap
        csrw    mtvec, t0
        la      sp, stack_top
        # Input wakes the hart, but no interrupt is taken: mstatus.MIE stays 0.
        li      t0, PLIC_PRIORITY
        li      t1, 1
        sw      t1, 4 * UART_IRQ(t0)
        li      t0, PLIC_ENABLE
        li      t1, 1 << UART_IRQ
        sw      t1, 0(t0)
        li      t0, PLIC_THRESHOLD
        sw      zero, 0(t0)
        li      t0, UART
        li      t1, 1
        sb      t1, IER(t0)
        li      t0, MIE_MEIE
        csrw    mie, t0
        la      a0, welcome
        call    puts

prompt:
        la      sp, stack_top
        la      a0, prompt_text
        call    puts
        call    read_line
        la      s0, line
        call    skip_spaces
        lbu     t0, 0(s0)
        beqz    t0, prompt
        la      s1, commands
1:      ld      s2, 0(s1)               # name
        beqz    s2, unknown
        mv      t0, s0
2:      lbu     t1, 0(s2)
        lbu     t2, 0(t0)
        beqz    t1, 3f
        addi    s2, s2, 1
        addi    t0, t0, 1
        beq     t1, t2, 2b
4:      addi    s1, s1, 16
        j       1b
3:      beqz    t2, 5f                  # the word must end where the name does
        li      t3, ' '
        bne     t2, t3, 4b
5:      mv      s0, t0
        ld      t0, 8(s1)
        jalr    t0
        j       prompt
unknown:
        la      a0, unknown_text
        call    puts
        j       prompt

sleep:  wfi
        j       sleep

# ---- faults -----------------------------------------------------------------------------------------------------------

        .balign 4
trap:
        csrw    mscratch, t0
        la      t0, saved
        sd      x1, 8(t0)
        jal     ra, save_registers
        la      sp, stack_top
        la      a0, fault_text
        call    puts
        csrr    a0, mcause
        call    put_decimal
        la      a0, at_text
        call    puts
        csrr    a0, mepc
        call    put_hex64
        la      a0, value_text
        call    puts
        csrr    a0, mtval
        call    put_hex64
end_line:
        la      a0, newline
        call    puts
        j       prompt

# Saves the registers at t0 = saved, where ra is already; the real t0 is in mscratch.
save_registers:
        sd      x2, 16(t0)
        sd      x3, 24(t0)
        sd      x4, 32(t0)
        sd      x6, 48(t0)
        sd      x7, 56(t0)
        sd      x8, 64(t0)
        sd      x9, 72(t0)
        sd      x10, 80(t0)
        sd      x11, 88(t0)
        sd      x12, 96(t0)
        sd      x13, 104(t0)
        sd      x14, 112(t0)
        sd      x15, 120(t0)
        sd      x16, 128(t0)
        sd      x17, 136(t0)
        sd      x18, 144(t0)
        sd      x19, 152(t0)
        sd      x20, 160(t0)
        sd      x21, 168(t0)
        sd      x22, 176(t0)
        sd      x23, 184(t0)
        sd      x24, 192(t0)
        sd      x25, 200(t0)
        sd      x26, 208(t0)
        sd      x27, 216(t0)
        sd      x28, 224(t0)
        sd      x29, 232(t0)
        sd      x30, 240(t0)
        sd      x31, 248(t0)
        csrr    t1, mscratch
        sd      t1, 5 * 8(t0)
        ret
