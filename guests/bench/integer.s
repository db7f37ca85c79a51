# Integer arithmetic in registers: a xorshift generator folded into a multiply-accumulate, for ever.
# M-mode, at 0x80000000.
_start:
    li   a0, 88172645463325252
    li   a1, 0
    li   a2, 6364136223846793005
loop:
    slli t0, a0, 13
    xor  a0, a0, t0
    srli t0, a0, 7
    xor  a0, a0, t0
    slli t0, a0, 17
    xor  a0, a0, t0
    mul  t1, a0, a2
    add  a1, a1, t1
    addw t2, a1, a0
    and  t3, t2, a2
    sub  a1, a1, t3
    j    loop
