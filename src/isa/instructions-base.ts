// RV64I, M, A, Zicsr, Zifencei and the privileged instructions. Unprivileged ISA 20240411, chapters 2, 4, 5, 6, 12, 13;
// privileged architecture 20240411, chapters 3 and 10.
//
// One line an instruction: mnemonic, bits 31 to 0 (fixed bits and fields, see fields.ts), format, operands, extension.
// In the operands an f in front of a register's name is a floating-point register. The order is that of the OP_* numbers.

export const BASE = `
lb              imm12               rs1   000 rd    0000011   I       rd,off(rs1)       I
lh              imm12               rs1   001 rd    0000011   I       rd,off(rs1)       I
lw              imm12               rs1   010 rd    0000011   I       rd,off(rs1)       I
ld              imm12               rs1   011 rd    0000011   I       rd,off(rs1)       I
lbu             imm12               rs1   100 rd    0000011   I       rd,off(rs1)       I
lhu             imm12               rs1   101 rd    0000011   I       rd,off(rs1)       I
lwu             imm12               rs1   110 rd    0000011   I       rd,off(rs1)       I

sb              immS7   rs2         rs1   000 immS5 0100011   S       rs2,off(rs1)      I
sh              immS7   rs2         rs1   001 immS5 0100011   S       rs2,off(rs1)      I
sw              immS7   rs2         rs1   010 immS5 0100011   S       rs2,off(rs1)      I
sd              immS7   rs2         rs1   011 immS5 0100011   S       rs2,off(rs1)      I

beq             immB7   rs2         rs1   000 immB5 1100011   B       rs1,rs2,target    I
bne             immB7   rs2         rs1   001 immB5 1100011   B       rs1,rs2,target    I
blt             immB7   rs2         rs1   100 immB5 1100011   B       rs1,rs2,target    I
bge             immB7   rs2         rs1   101 immB5 1100011   B       rs1,rs2,target    I
bltu            immB7   rs2         rs1   110 immB5 1100011   B       rs1,rs2,target    I
bgeu            immB7   rs2         rs1   111 immB5 1100011   B       rs1,rs2,target    I
jal             immJ20                        rd    1101111   J       rd,target         I
jalr            imm12               rs1   000 rd    1100111   I       rd,off(rs1)       I

lui             immU20                        rd    0110111   U       rd,upper          I
auipc           immU20                        rd    0010111   U       rd,upper          I

addi            imm12               rs1   000 rd    0010011   I       rd,rs1,imm        I
slti            imm12               rs1   010 rd    0010011   I       rd,rs1,imm        I
sltiu           imm12               rs1   011 rd    0010011   I       rd,rs1,imm        I
xori            imm12               rs1   100 rd    0010011   I       rd,rs1,imm        I
ori             imm12               rs1   110 rd    0010011   I       rd,rs1,imm        I
andi            imm12               rs1   111 rd    0010011   I       rd,rs1,imm        I
slli            000000 shamt6       rs1   001 rd    0010011   SHIFT   rd,rs1,shamt      I
srli            000000 shamt6       rs1   101 rd    0010011   SHIFT   rd,rs1,shamt      I
srai            010000 shamt6       rs1   101 rd    0010011   SHIFT   rd,rs1,shamt      I
addiw           imm12               rs1   000 rd    0011011   I       rd,rs1,imm        I
slliw           0000000 shamt5      rs1   001 rd    0011011   SHIFTW  rd,rs1,shamt      I
srliw           0000000 shamt5      rs1   101 rd    0011011   SHIFTW  rd,rs1,shamt      I
sraiw           0100000 shamt5      rs1   101 rd    0011011   SHIFTW  rd,rs1,shamt      I

add             0000000 rs2         rs1   000 rd    0110011   R       rd,rs1,rs2        I
sub             0100000 rs2         rs1   000 rd    0110011   R       rd,rs1,rs2        I
sll             0000000 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        I
slt             0000000 rs2         rs1   010 rd    0110011   R       rd,rs1,rs2        I
sltu            0000000 rs2         rs1   011 rd    0110011   R       rd,rs1,rs2        I
xor             0000000 rs2         rs1   100 rd    0110011   R       rd,rs1,rs2        I
srl             0000000 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        I
sra             0100000 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        I
or              0000000 rs2         rs1   110 rd    0110011   R       rd,rs1,rs2        I
and             0000000 rs2         rs1   111 rd    0110011   R       rd,rs1,rs2        I
addw            0000000 rs2         rs1   000 rd    0111011   R       rd,rs1,rs2        I
subw            0100000 rs2         rs1   000 rd    0111011   R       rd,rs1,rs2        I
sllw            0000000 rs2         rs1   001 rd    0111011   R       rd,rs1,rs2        I
srlw            0000000 rs2         rs1   101 rd    0111011   R       rd,rs1,rs2        I
sraw            0100000 rs2         rs1   101 rd    0111011   R       rd,rs1,rs2        I

mul             0000001 rs2         rs1   000 rd    0110011   R       rd,rs1,rs2        M
mulh            0000001 rs2         rs1   001 rd    0110011   R       rd,rs1,rs2        M
mulhsu          0000001 rs2         rs1   010 rd    0110011   R       rd,rs1,rs2        M
mulhu           0000001 rs2         rs1   011 rd    0110011   R       rd,rs1,rs2        M
div             0000001 rs2         rs1   100 rd    0110011   R       rd,rs1,rs2        M
divu            0000001 rs2         rs1   101 rd    0110011   R       rd,rs1,rs2        M
rem             0000001 rs2         rs1   110 rd    0110011   R       rd,rs1,rs2        M
remu            0000001 rs2         rs1   111 rd    0110011   R       rd,rs1,rs2        M
mulw            0000001 rs2         rs1   000 rd    0111011   R       rd,rs1,rs2        M
divw            0000001 rs2         rs1   100 rd    0111011   R       rd,rs1,rs2        M
divuw           0000001 rs2         rs1   101 rd    0111011   R       rd,rs1,rs2        M
remw            0000001 rs2         rs1   110 rd    0111011   R       rd,rs1,rs2        M
remuw           0000001 rs2         rs1   111 rd    0111011   R       rd,rs1,rs2        M
`;

export const ATOMIC = `
lr.w            00010 aq rl 00000   rs1   010 rd    0101111   AMO     rd,(rs1)          A
sc.w            00011 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amoswap.w       00001 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amoadd.w        00000 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amoxor.w        00100 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amoand.w        01100 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amoor.w         01000 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amomin.w        10000 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amomax.w        10100 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amominu.w       11000 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
amomaxu.w       11100 aq rl rs2     rs1   010 rd    0101111   AMO     rd,rs2,(rs1)      A
lr.d            00010 aq rl 00000   rs1   011 rd    0101111   AMO     rd,(rs1)          A
sc.d            00011 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amoswap.d       00001 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amoadd.d        00000 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amoxor.d        00100 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amoand.d        01100 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amoor.d         01000 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amomin.d        10000 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amomax.d        10100 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amominu.d       11000 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
amomaxu.d       11100 aq rl rs2     rs1   011 rd    0101111   AMO     rd,rs2,(rs1)      A
`;

// The fields of fence and fence.i that no standard defines (fm but for TSO, rs1, rd, imm) are ignored, as chapters 2.7
// and 5 ask; hence any* in their patterns.
export const SYSTEM = `
fence           fm pred succ        any5  000 any5  0001111   FENCE   pred,succ         I
fence.i         any12               any5  001 any5  0001111   FENCE   -                 Zifencei
ecall           000000000000        00000 000 00000 1110011   SYSTEM  -                 I
ebreak          000000000001        00000 000 00000 1110011   SYSTEM  -                 I
csrrw           csr                 rs1   001 rd    1110011   CSR     rd,csr,rs1        Zicsr
csrrs           csr                 rs1   010 rd    1110011   CSR     rd,csr,rs1        Zicsr
csrrc           csr                 rs1   011 rd    1110011   CSR     rd,csr,rs1        Zicsr
csrrwi          csr                 zimm  101 rd    1110011   CSRI    rd,csr,zimm       Zicsr
csrrsi          csr                 zimm  110 rd    1110011   CSRI    rd,csr,zimm       Zicsr
csrrci          csr                 zimm  111 rd    1110011   CSRI    rd,csr,zimm       Zicsr
sret            000100000010        00000 000 00000 1110011   SYSTEM  -                 S
mret            001100000010        00000 000 00000 1110011   SYSTEM  -                 M-mode
wfi             000100000101        00000 000 00000 1110011   SYSTEM  -                 M-mode
sfence.vma      0001001 rs2         rs1   000 00000 1110011   SFENCE  rs1,rs2           S
sinval.vma      0001011 rs2         rs1   000 00000 1110011   SFENCE  rs1,rs2           Svinval
sfence.w.inval  000110000000        00000 000 00000 1110011   SYSTEM  -                 Svinval
sfence.inval.ir 000110000001        00000 000 00000 1110011   SYSTEM  -                 Svinval
wrs.nto         000000001101        00000 000 00000 1110011   SYSTEM  -                 Zawrs
wrs.sto         000000011101        00000 000 00000 1110011   SYSTEM  -                 Zawrs
cbo.inval       000000000000        rs1   010 00000 0001111   CBO     (rs1)             Zicbom
cbo.clean       000000000001        rs1   010 00000 0001111   CBO     (rs1)             Zicbom
cbo.flush       000000000010        rs1   010 00000 0001111   CBO     (rs1)             Zicbom
cbo.zero        000000000100        rs1   010 00000 0001111   CBO     (rs1)             Zicboz
`;

/** Instructions that are hints of another one: they have a name, but decode as the instruction they are part of. */
export const HINTS = `
pause           0000 0001 0000      00000 000 00000 0001111   FENCE   -                 Zihintpause  fence
fence.tso       1000 0011 0011      00000 000 00000 0001111   FENCE   -                 I            fence
prefetch.i      immS7   00000       rs1   110 00000 0010011   S       off(rs1)          Zicbop       ori
prefetch.r      immS7   00001       rs1   110 00000 0010011   S       off(rs1)          Zicbop       ori
prefetch.w      immS7   00011       rs1   110 00000 0010011   S       off(rs1)          Zicbop       ori
`;
