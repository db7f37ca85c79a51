# Follows a chain of pointers through 4 MiB: 65,536 nodes of 64 bytes, in the order of a full-period linear
# congruential generator (next = 5 * node + 12345 modulo 65,536). M-mode, at 0x80000000.
_start:
    li   s0, 0x80400000
    li   s1, 65535
    li   s2, 12345
    li   t0, 0
build:
    slli t1, t0, 2
    add  t1, t1, t0
    add  t1, t1, s2
    and  t1, t1, s1
    slli t1, t1, 6
    add  t1, t1, s0
    slli t2, t0, 6
    add  t2, t2, s0
    sd   t1, 0(t2)
    addi t0, t0, 1
    bgeu s1, t0, build
    mv   a0, s0
chase:
    ld   a0, 0(a0)
    ld   a0, 0(a0)
    ld   a0, 0(a0)
    ld   a0, 0(a0)
    bnez a0, chase
    j    chase
