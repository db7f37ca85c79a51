# The monitor's line editor and what it prints with.

# ---- input -----------------------------------------------------------------------------------------------------------

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

# ---- output ----------------------------------------------------------------------------------------------------------

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
