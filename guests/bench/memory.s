# Copies 64 KiB from one place to another, eight doublewords a turn, for ever.
# M-mode, at 0x80000000.
_start:
    li   s0, 0x80100000
    li   s1, 0x80200000
    li   s2, 0x80110000
again:
    mv   a0, s0
    mv   a1, s1
copy:
    ld   t0, 0(a0)
    ld   t1, 8(a0)
    ld   t2, 16(a0)
    ld   t3, 24(a0)
    ld   t4, 32(a0)
    ld   t5, 40(a0)
    ld   t6, 48(a0)
    ld   a2, 56(a0)
    sd   t0, 0(a1)
    sd   t1, 8(a1)
    sd   t2, 16(a1)
    sd   t3, 24(a1)
    sd   t4, 32(a1)
    sd   t5, 40(a1)
    sd   t6, 48(a1)
    sd   a2, 56(a1)
    addi a0, a0, 64
    addi a1, a1, 64
    bltu a0, s2, copy
    j    again
