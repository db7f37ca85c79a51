# The monitor's commands. s0 is what follows the name; each returns to the prompt.

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
