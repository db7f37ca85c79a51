// F, D and Zfhmin. Unprivileged ISA 20240411, chapters 20, 21 and 26. Columns as in instructions-base.ts.
// The reserved rounding modes 5 and 6 are checked when the instruction is executed, as frm must be anyway. An rmx is a
// rounding mode of a conversion that is always exact: assemblers encode 0 and take another one only if it is named.

export const FLOAT = `
flw             imm12               rs1   010 rd    0000111   I       fd,off(rs1)       F
fsw             immS7   rs2         rs1   010 immS5 0100111   S       fs2,off(rs1)      F

fmadd.s         rs3 00  rs2         rs1   rm  rd    1000011   R4      fd,fs1,fs2,fs3,rm F
fmsub.s         rs3 00  rs2         rs1   rm  rd    1000111   R4      fd,fs1,fs2,fs3,rm F
fnmsub.s        rs3 00  rs2         rs1   rm  rd    1001011   R4      fd,fs1,fs2,fs3,rm F
fnmadd.s        rs3 00  rs2         rs1   rm  rd    1001111   R4      fd,fs1,fs2,fs3,rm F
fadd.s          0000000 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     F
fsub.s          0000100 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     F
fmul.s          0001000 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     F
fdiv.s          0001100 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     F
fsqrt.s         0101100 00000       rs1   rm  rd    1010011   R       fd,fs1,rm         F
fsgnj.s         0010000 rs2         rs1   000 rd    1010011   R       fd,fs1,fs2        F
fsgnjn.s        0010000 rs2         rs1   001 rd    1010011   R       fd,fs1,fs2        F
fsgnjx.s        0010000 rs2         rs1   010 rd    1010011   R       fd,fs1,fs2        F
fmin.s          0010100 rs2         rs1   000 rd    1010011   R       fd,fs1,fs2        F
fmax.s          0010100 rs2         rs1   001 rd    1010011   R       fd,fs1,fs2        F
feq.s           1010000 rs2         rs1   010 rd    1010011   R       rd,fs1,fs2        F
flt.s           1010000 rs2         rs1   001 rd    1010011   R       rd,fs1,fs2        F
fle.s           1010000 rs2         rs1   000 rd    1010011   R       rd,fs1,fs2        F
fclass.s        1110000 00000       rs1   001 rd    1010011   R       rd,fs1            F
fcvt.w.s        1100000 00000       rs1   rm  rd    1010011   R       rd,fs1,rm         F
fcvt.wu.s       1100000 00001       rs1   rm  rd    1010011   R       rd,fs1,rm         F
fcvt.l.s        1100000 00010       rs1   rm  rd    1010011   R       rd,fs1,rm         F
fcvt.lu.s       1100000 00011       rs1   rm  rd    1010011   R       rd,fs1,rm         F
fcvt.s.w        1101000 00000       rs1   rm  rd    1010011   R       fd,rs1,rm         F
fcvt.s.wu       1101000 00001       rs1   rm  rd    1010011   R       fd,rs1,rm         F
fcvt.s.l        1101000 00010       rs1   rm  rd    1010011   R       fd,rs1,rm         F
fcvt.s.lu       1101000 00011       rs1   rm  rd    1010011   R       fd,rs1,rm         F
fmv.x.w         1110000 00000       rs1   000 rd    1010011   R       rd,fs1            F
fmv.w.x         1111000 00000       rs1   000 rd    1010011   R       fd,rs1            F
`;

export const DOUBLE = `
fld             imm12               rs1   011 rd    0000111   I       fd,off(rs1)       D
fsd             immS7   rs2         rs1   011 immS5 0100111   S       fs2,off(rs1)      D

fmadd.d         rs3 01  rs2         rs1   rm  rd    1000011   R4      fd,fs1,fs2,fs3,rm D
fmsub.d         rs3 01  rs2         rs1   rm  rd    1000111   R4      fd,fs1,fs2,fs3,rm D
fnmsub.d        rs3 01  rs2         rs1   rm  rd    1001011   R4      fd,fs1,fs2,fs3,rm D
fnmadd.d        rs3 01  rs2         rs1   rm  rd    1001111   R4      fd,fs1,fs2,fs3,rm D
fadd.d          0000001 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     D
fsub.d          0000101 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     D
fmul.d          0001001 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     D
fdiv.d          0001101 rs2         rs1   rm  rd    1010011   R       fd,fs1,fs2,rm     D
fsqrt.d         0101101 00000       rs1   rm  rd    1010011   R       fd,fs1,rm         D
fsgnj.d         0010001 rs2         rs1   000 rd    1010011   R       fd,fs1,fs2        D
fsgnjn.d        0010001 rs2         rs1   001 rd    1010011   R       fd,fs1,fs2        D
fsgnjx.d        0010001 rs2         rs1   010 rd    1010011   R       fd,fs1,fs2        D
fmin.d          0010101 rs2         rs1   000 rd    1010011   R       fd,fs1,fs2        D
fmax.d          0010101 rs2         rs1   001 rd    1010011   R       fd,fs1,fs2        D
feq.d           1010001 rs2         rs1   010 rd    1010011   R       rd,fs1,fs2        D
flt.d           1010001 rs2         rs1   001 rd    1010011   R       rd,fs1,fs2        D
fle.d           1010001 rs2         rs1   000 rd    1010011   R       rd,fs1,fs2        D
fclass.d        1110001 00000       rs1   001 rd    1010011   R       rd,fs1            D
fcvt.w.d        1100001 00000       rs1   rm  rd    1010011   R       rd,fs1,rm         D
fcvt.wu.d       1100001 00001       rs1   rm  rd    1010011   R       rd,fs1,rm         D
fcvt.l.d        1100001 00010       rs1   rm  rd    1010011   R       rd,fs1,rm         D
fcvt.lu.d       1100001 00011       rs1   rm  rd    1010011   R       rd,fs1,rm         D
fcvt.d.w        1101001 00000       rs1   rm  rd    1010011   R       fd,rs1,rmx        D
fcvt.d.wu       1101001 00001       rs1   rm  rd    1010011   R       fd,rs1,rmx        D
fcvt.s.d        0100000 00001       rs1   rm  rd    1010011   R       fd,fs1,rm         D
fcvt.d.s        0100001 00000       rs1   rm  rd    1010011   R       fd,fs1,rmx        D
fcvt.d.l        1101001 00010       rs1   rm  rd    1010011   R       fd,rs1,rm         D
fcvt.d.lu       1101001 00011       rs1   rm  rd    1010011   R       fd,rs1,rm         D
fmv.x.d         1110001 00000       rs1   000 rd    1010011   R       rd,fs1            D
fmv.d.x         1111001 00000       rs1   000 rd    1010011   R       fd,rs1            D
`;

export const HALF = `
flh             imm12               rs1   001 rd    0000111   I       fd,off(rs1)       Zfhmin
fsh             immS7   rs2         rs1   001 immS5 0100111   S       fs2,off(rs1)      Zfhmin

fmv.x.h         1110010 00000       rs1   000 rd    1010011   R       rd,fs1            Zfhmin
fmv.h.x         1111010 00000       rs1   000 rd    1010011   R       fd,rs1            Zfhmin
fcvt.s.h        0100000 00010       rs1   rm  rd    1010011   R       fd,fs1,rmx        Zfhmin
fcvt.h.s        0100010 00000       rs1   rm  rd    1010011   R       fd,fs1,rm         Zfhmin
fcvt.d.h        0100001 00010       rs1   rm  rd    1010011   R       fd,fs1,rmx        Zfhmin
fcvt.h.d        0100010 00001       rs1   rm  rd    1010011   R       fd,fs1,rm         Zfhmin
`;
