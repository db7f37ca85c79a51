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

# ---- commands: s0 is what follows the name ------------------------------------------------------------------------------

do_help:
        la      a0, help_text
        j       puts

do_regs:
        addi    sp, sp, -32
        sd      ra, 24(sp)
        sd      s1, 16(sp)
        sd      s2, 8(sp)
        li      s1, 0
        la      s2, saved
1:      slli    t0, s1, 2
        la      a0, register_names
        add     a0, a0, t0
        call    puts
        li      a0, ' '
        call    putc
        ld      a0, 0(s2)
        call    put_hex64
        addi    s1, s1, 1
        addi    s2, s2, 8
        andi    t0, s1, 3
        la      a0, gap
        bnez    t0, 2f
        la      a0, newline
2:      call    puts
        li      t0, 32
        bne     s1, t0, 1b
        la      a0, pc_text
        call    puts
        csrr    a0, mepc
        call    put_hex64
        ld      s2, 8(sp)
        ld      s1, 16(sp)
        ld      ra, 24(sp)
        addi    sp, sp, 32
        la      a0, newline
        j       puts

do_peek:
        call    number
        mv      s1, a0
        lw      s2, 0(s1)
        mv      a0, s1
        call    put_address
        mv      a0, s2
        call    put_hex32
        j       end_line

do_poke:
        call    number
        mv      s1, a0
        call    number
        sw      a0, 0(s1)
        j       prompt

do_dump:
        call    number
        mv      s1, a0
        call    number
        beqz    a0, prompt
        add     s2, s1, a0              # end
1:      mv      a0, s1
        call    put_address
        li      s3, 0
2:      add     t0, s1, s3
        bgeu    t0, s2, 3f
        lbu     a0, 0(t0)
        call    put_hex8
        j       4f
3:      la      a0, gap
        call    puts
4:      li      a0, ' '
        call    putc
        addi    s3, s3, 1
        li      t0, 16
        bne     s3, t0, 2b
        li      s3, 0
5:      add     t0, s1, s3
        bgeu    t0, s2, 7f
        lbu     a0, 0(t0)
        li      t0, ' '
        bltu    a0, t0, 6f
        li      t0, 0x7e
        bleu    a0, t0, 8f
6:      li      a0, '.'
8:      call    putc
        addi    s3, s3, 1
        li      t0, 16
        bne     s3, t0, 5b
7:      la      a0, newline
        call    puts
        addi    s1, s1, 16
        bltu    s1, s2, 1b
        j       prompt

# Counts down, sleeping until the timer's interrupt is pending.
do_countdown:
        call    skip_spaces
        lbu     t0, 0(s0)
        li      s1, 3
        beqz    t0, 1f
        call    number
        mv      s1, a0
1:      beqz    s1, 3f
        mv      a0, s1
        call    put_decimal
        la      a0, newline
        call    puts
        li      t0, MTIME
        ld      t1, 0(t0)
        li      t2, HERTZ
        add     t1, t1, t2
        li      t2, MTIMECMP
        sd      t1, 0(t2)
        li      t3, MIE_MTIE
        csrw    mie, t3                 # typed input waits
2:      wfi
        ld      t3, 0(t0)
        bltu    t3, t1, 2b
        li      t3, -1
        sd      t3, 0(t2)
        li      t3, MIE_MEIE
        csrw    mie, t3
        addi    s1, s1, -1
        j       1b
3:      la      a0, liftoff
        call    puts
        j       prompt

do_time:
        li      t0, MTIME
        ld      s1, 0(t0)
        mv      a0, s1
        call    put_decimal
        la      a0, ticks_text
        call    puts
        li      t0, HERTZ
        divu    a0, s1, t0
        call    put_decimal
        la      a0, seconds_text
        call    puts
        j       prompt

do_csr:
        la      s1, csr_names
        csrr    a0, mstatus
        call    put_csr
        csrr    a0, misa
        call    put_csr
        csrr    a0, mvendorid
        call    put_csr
        csrr    a0, marchid
        call    put_csr
        csrr    a0, mimpid
        call    put_csr
        csrr    a0, mhartid
        call    put_csr
        csrr    a0, mtvec
        call    put_csr
        csrr    a0, mie
        call    put_csr
        csrr    a0, mip
        call    put_csr
        csrr    a0, mcause
        call    put_csr
        csrr    a0, mtval
        call    put_csr
        csrr    a0, mcycle
        call    put_csr
        csrr    a0, minstret
        call    put_csr
        j       prompt

do_off:
        la      a0, bye
        call    puts
        li      t0, SYSCON
        li      t1, POWEROFF
        sw      t1, 0(t0)
        j       sleep

# Prints the name at s1 (10 bytes a name) and a0; moves s1 on.
put_csr:
        addi    sp, sp, -16
        sd      ra, 8(sp)
        mv      s2, a0
        mv      a0, s1
        call    puts
        li      a0, ' '
        call    putc
        mv      a0, s2
        call    put_hex64
        la      a0, newline
        call    puts
        addi    s1, s1, 10
        ld      ra, 8(sp)
        addi    sp, sp, 16
        ret

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

# ---- input ------------------------------------------------------------------------------------------------------------

# Reads a line into `line`, with backspace, Ctrl-U (erase all) and Ctrl-C (give up).
read_line:
        addi    sp, sp, -16
        sd      ra, 8(sp)
        la      s0, line
        li      s1, 0                   # length
1:      call    getc
        li      t0, '\r'
        beq     a0, t0, 5f
        li      t0, '\n'
        beq     a0, t0, 5f
        li      t0, 3
        beq     a0, t0, 4f
        li      t0, 0x15
        beq     a0, t0, 3f
        li      t0, 8
        beq     a0, t0, 2f
        li      t0, 0x7f
        beq     a0, t0, 2f
        li      t0, ' '
        bltu    a0, t0, 1b
        li      t0, 0x7f
        bgeu    a0, t0, 1b
        li      t0, LINE_BYTES - 1
        bgeu    s1, t0, 1b
        add     t0, s0, s1
        sb      a0, 0(t0)
        addi    s1, s1, 1
        call    putc
        j       1b
2:      beqz    s1, 1b
        addi    s1, s1, -1
        la      a0, rubout
        call    puts
        j       1b
3:      beqz    s1, 1b
        addi    s1, s1, -1
        la      a0, rubout
        call    puts
        j       3b
4:      la      a0, control_c
        call    puts
        li      s1, 0
5:      add     t0, s0, s1
        sb      zero, 0(t0)
        la      a0, newline
        call    puts
        ld      ra, 8(sp)
        addi    sp, sp, 16
        ret

# Waits for a byte. a0: the byte.
getc:
        li      t0, UART
1:      lbu     t1, LSR(t0)
        andi    t1, t1, LSR_DATA
        bnez    t1, 2f
        wfi
        li      t1, PLIC_THRESHOLD
        lw      t2, PLIC_CLAIM(t1)
        sw      t2, PLIC_CLAIM(t1)
        j       1b
2:      lbu     a0, 0(t0)
        ret

# Moves s0 past spaces.
skip_spaces:
        li      t0, ' '
1:      lbu     t1, 0(s0)
        bne     t1, t0, 2f
        addi    s0, s0, 1
        j       1b
2:      ret

# Reads a number at s0: decimal, or hexadecimal after 0x. a0: its value. Without one, complains and gives up the command.
number:
        addi    sp, sp, -16
        sd      ra, 8(sp)
        call    skip_spaces
        li      a0, 0
        li      t2, 10                  # base
        li      t3, 0                   # digits
        lbu     t0, 0(s0)
        li      t1, '0'
        bne     t0, t1, 1f
        lbu     t0, 1(s0)
        ori     t0, t0, 0x20
        li      t1, 'x'
        bne     t0, t1, 1f
        addi    s0, s0, 2
        li      t2, 16
1:      lbu     t0, 0(s0)
        beqz    t0, 4f
        li      t1, ' '
        beq     t0, t1, 4f
        addi    t1, t0, -'0'
        li      t4, 10
        bltu    t1, t4, 2f
        ori     t0, t0, 0x20
        addi    t1, t0, -'a'
        li      t4, 6
        bgeu    t1, t4, 3f
        addi    t1, t1, 10
2:      bgeu    t1, t2, 3f
        mul     a0, a0, t2
        add     a0, a0, t1
        addi    t3, t3, 1
        addi    s0, s0, 1
        j       1b
3:      la      a0, number_text
        call    puts
        j       prompt
4:      beqz    t3, 3b
        ld      ra, 8(sp)
        addi    sp, sp, 16
        ret

# ---- output -----------------------------------------------------------------------------------------------------------

putc:
        li      t0, UART
1:      lbu     t1, LSR(t0)
        andi    t1, t1, LSR_IDLE
        beqz    t1, 1b
        sb      a0, 0(t0)
        ret

puts:
        addi    sp, sp, -16
        sd      ra, 8(sp)
        sd      s0, 0(sp)
        mv      s0, a0
1:      lbu     a0, 0(s0)
        beqz    a0, 2f
        call    putc
        addi    s0, s0, 1
        j       1b
2:      ld      s0, 0(sp)
        ld      ra, 8(sp)
        addi    sp, sp, 16
        ret

# a0 as an address, with a colon behind it.
put_address:
        addi    sp, sp, -16
        sd      ra, 8(sp)
        call    put_hex64
        la      a0, colon
        ld      ra, 8(sp)
        addi    sp, sp, 16
        j       puts

put_hex64:
        li      a1, 60
        j       put_hex
put_hex32:
        li      a1, 28
        j       put_hex
put_hex8:
        li      a1, 4
# a0 in hexadecimal, from the digit at bit a1 down.
put_hex:
        addi    sp, sp, -32
        sd      ra, 24(sp)
        sd      s0, 16(sp)
        sd      s1, 8(sp)
        mv      s0, a0
        mv      s1, a1
1:      srl     a0, s0, s1
        andi    a0, a0, 15
        li      t0, 10
        bltu    a0, t0, 2f
        addi    a0, a0, 'a' - '0' - 10
2:      addi    a0, a0, '0'
        call    putc
        addi    s1, s1, -4
        bgez    s1, 1b
        ld      s1, 8(sp)
        ld      s0, 16(sp)
        ld      ra, 24(sp)
        addi    sp, sp, 32
        ret

put_decimal:
        addi    sp, sp, -48
        sd      ra, 40(sp)
        addi    t2, sp, 31
        sb      zero, 0(t2)
        li      t0, 10
1:      remu    t1, a0, t0
        divu    a0, a0, t0
        addi    t1, t1, '0'
        addi    t2, t2, -1
        sb      t1, 0(t2)
        bnez    a0, 1b
        mv      a0, t2
        call    puts
        ld      ra, 40(sp)
        addi    sp, sp, 48
        ret

# ---- texts ------------------------------------------------------------------------------------------------------------

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
