// Zba, Zbb, Zbs, Zbc and Zicond. Unprivileged ISA 20240411, chapters 28 and 11. Columns as in instructions-base.ts.

export const BITS = `
add.uw          0000100 rs2         rs1   000 rd    0111011   R       rd,rs1,rs2        Zba
sh1add          0010000 rs2         rs1   010 rd    0110011   R       rd,rs1,rs2        Zba
sh2add          0010000 rs2         rs1   100 rd    0110011   R       rd,rs1,rs2        Zba
sh3add          0010000 rs2         rs1   110 rd    0110011   R       rd,rs1,rs2        Zba
sh1add.uw       0010000 rs2         rs1   010 rd    0111011   R       rd,rs1,rs2        Zba
sh2add.uw       0010000 rs2         rs1   100 rd    0111011   R       rd,rs1,rs2        Zba
sh3add.uw       0010000 rs2         rs1   110 rd    0111011   R       rd,rs1,rs2        Zba
slli.uw         000010 shamt6       rs1   001 rd    0011011   SHIFT   rd,rs1,shamt      Zba

andn            0100000 rs2         rs1   111 rd    0110011   R       rd,rs1,rs2        Zbb
orn             0100000 rs2         rs1   110 rd    0110011   R       rd,rs1,rs2        Zbb
xnor            0100000 rs2         rs1   100 rd    0110011   R       rd,rs1,rs2        Zbb
clz             0110000 00000       rs1   001 rd    0010011   R       rd,rs1            Zbb
ctz             0110000 00001       rs1   001 rd    0010011   R       rd,rs1            Zbb
cpop            0110000 00010       rs1   001 rd    0010011   R       rd,rs1            Zbb
sext.b          0110000 00100       rs1   001 rd    0010011   R       rd,rs1            Zbb
sext.h          0110000 00101       rs1   001 rd    0010011   R       rd,rs1            Zbb
zext.h          0000100 00000       rs1   100 rd    0111011   R       rd,rs1            Zbb
clzw            0110000 00000       rs1   001 rd    0011011   R       rd,rs1            Zbb
ctzw            0110000 00001       rs1   001 rd    0011011   R       rd,rs1            Zbb
cpopw           0110000 00010       rs1   001 rd    0011011   R       rd,rs1            Zbb
min             0000101 rs2         rs1   100 rd    0110011   R       rd,rs1,rs2        Zbb
minu            0000101 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        Zbb
max             0000101 rs2         rs1   110 rd    0110011   R       rd,rs1,rs2        Zbb
maxu            0000101 rs2         rs1   111 rd    0110011   R       rd,rs1,rs2        Zbb
rol             0110000 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        Zbb
ror             0110000 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        Zbb
rori            011000 shamt6       rs1   101 rd    0010011   SHIFT   rd,rs1,shamt      Zbb
rolw            0110000 rs2         rs1   001 rd    0111011   R       rd,rs1,rs2        Zbb
rorw            0110000 rs2         rs1   101 rd    0111011   R       rd,rs1,rs2        Zbb
roriw           0110000 shamt5      rs1   101 rd    0011011   SHIFTW  rd,rs1,shamt      Zbb
orc.b           0010100 00111       rs1   101 rd    0010011   R       rd,rs1            Zbb
rev8            0110101 11000       rs1   101 rd    0010011   R       rd,rs1            Zbb

bclr            0100100 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        Zbs
bext            0100100 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        Zbs
binv            0110100 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        Zbs
bset            0010100 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        Zbs
bclri           010010 shamt6       rs1   001 rd    0010011   SHIFT   rd,rs1,shamt      Zbs
bexti           010010 shamt6       rs1   101 rd    0010011   SHIFT   rd,rs1,shamt      Zbs
binvi           011010 shamt6       rs1   001 rd    0010011   SHIFT   rd,rs1,shamt      Zbs
bseti           001010 shamt6       rs1   001 rd    0010011   SHIFT   rd,rs1,shamt      Zbs

clmul           0000101 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        Zbc
clmulr          0000101 rs2         rs1   010 rd    0110011   R       rd,rs1,rs2        Zbc
clmulh          0000101 rs2         rs1   011 rd    0110011   R       rd,rs1,rs2        Zbc

czero.eqz       0000111 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        Zicond
czero.nez       0000111 rs2         rs1   111 rd    0110011   R       rd,rs1,rs2        Zicond
`;
