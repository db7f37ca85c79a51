# Recursive Fibonacci of 20, for ever: calls, returns and stack frames.
# M-mode, at 0x80000000.
_start:
    li   sp, 0x80200000
again:
    li   a0, 20
    jal  ra, fib
    j    again
fib:
    li   t0, 2
    blt  a0, t0, leaf
    addi sp, sp, -32
    sd   ra, 24(sp)
    sd   s0, 16(sp)
    sd   s1, 8(sp)
    mv   s0, a0
    addi a0, a0, -1
    jal  ra, fib
    mv   s1, a0
    addi a0, s0, -2
    jal  ra, fib
    add  a0, a0, s1
    ld   ra, 24(sp)
    ld   s0, 16(sp)
    ld   s1, 8(sp)
    addi sp, sp, 32
leaf:
    ret
