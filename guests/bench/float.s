# Double-precision arithmetic: two logistic maps and their running sum, with inexact results, for ever.
# M-mode, at 0x80000000.
_start:
    li   t0, 0x2000             # mstatus.FS: initial
    csrrs zero, mstatus, t0
    li   t0, 0x3fd3333333333333 # 0.3
    fmv.d.x fa0, t0
    li   t0, 0x3fe3333333333333 # 0.6
    fmv.d.x fa1, t0
    li   t0, 0x400f333333333333 # 3.9
    fmv.d.x fa2, t0
    li   t0, 0x3ff0000000000000 # 1
    fmv.d.x fa3, t0
    fmv.d.x fa4, zero
loop:
    fsub.d  fa5, fa3, fa0
    fmul.d  fa6, fa2, fa0
    fmul.d  fa0, fa6, fa5
    fsub.d  fa5, fa3, fa1
    fmul.d  fa6, fa2, fa1
    fmul.d  fa1, fa6, fa5
    fadd.d  fa4, fa4, fa0
    fmadd.d fa4, fa1, fa0, fa4
    fdiv.d  fa7, fa4, fa2
    j       loop
