// C, for RV64 with D. Unprivileged ISA 20240411, chapter 27.
//
// One line an instruction: mnemonic, bits 15 to 0, the instruction it stands for, operands of the compressed spelling,
// and what must hold of its fields (else the encoding is reserved, or belongs to another line). rd' rs1' rs2' are
// registers 8 to 15 in three bits; rw is both rd and rs1, and so is rw'. u[…] and s[…] are pieces of an immediate,
// highest bit of the field first, zero- and sign-extended.
// Hints (c.nop with an immediate, c.li to x0, …) are legal: what they stand for does nothing.

export const COMPRESSED_LINES = `
c.addi4spn  000 u[5:4|9:6|2|3]                rd'   00   addi   rd',x2,imm      rd',x2,imm     imm!=0
c.fld       001 u[5:3]      rs1'    u[7:6]    rd'   00   fld    rd',imm(rs1')   fd',imm(rs1')
c.lw        010 u[5:3]      rs1'    u[2|6]    rd'   00   lw     rd',imm(rs1')   rd',imm(rs1')
c.ld        011 u[5:3]      rs1'    u[7:6]    rd'   00   ld     rd',imm(rs1')   rd',imm(rs1')
c.fsd       101 u[5:3]      rs1'    u[7:6]    rs2'  00   fsd    rs2',imm(rs1')  fs2',imm(rs1')
c.sw        110 u[5:3]      rs1'    u[2|6]    rs2'  00   sw     rs2',imm(rs1')  rs2',imm(rs1')
c.sd        111 u[5:3]      rs1'    u[7:6]    rs2'  00   sd     rs2',imm(rs1')  rs2',imm(rs1')

c.nop       000 s[5]        00000   s[4:0]          01   addi   x0,x0,imm       imm
c.addi      000 s[5]        rw      s[4:0]          01   addi   rw,rw,imm       rw,imm         rw!=0
c.addiw     001 s[5]        rw      s[4:0]          01   addiw  rw,rw,imm       rw,imm         rw!=0
c.li        010 s[5]        rd      s[4:0]          01   addi   rd,x0,imm       rd,imm
c.addi16sp  011 s[9]        00010   s[4|6|8:7|5]    01   addi   x2,x2,imm       x2,imm         imm!=0
c.lui       011 s[17]       rd      s[16:12]        01   lui    rd,imm          rd,upper       rd!=2 imm!=0
c.srli      100 u[5]   00   rw'     u[4:0]          01   srli   rw',rw',imm     rw',imm
c.srai      100 u[5]   01   rw'     u[4:0]          01   srai   rw',rw',imm     rw',imm
c.andi      100 s[5]   10   rw'     s[4:0]          01   andi   rw',rw',imm     rw',imm
c.sub       100 0      11   rw'     00        rs2'  01   sub    rw',rw',rs2'    rw',rs2'
c.xor       100 0      11   rw'     01        rs2'  01   xor    rw',rw',rs2'    rw',rs2'
c.or        100 0      11   rw'     10        rs2'  01   or     rw',rw',rs2'    rw',rs2'
c.and       100 0      11   rw'     11        rs2'  01   and    rw',rw',rs2'    rw',rs2'
c.subw      100 1      11   rw'     00        rs2'  01   subw   rw',rw',rs2'    rw',rs2'
c.addw      100 1      11   rw'     01        rs2'  01   addw   rw',rw',rs2'    rw',rs2'
c.j         101 s[11|4|9:8|10|6|7|3:1|5]            01   jal    x0,imm          target
c.beqz      110 s[8|4:3]    rs1'    s[7:6|2:1|5]    01   beq    rs1',x0,imm     rs1',target
c.bnez      111 s[8|4:3]    rs1'    s[7:6|2:1|5]    01   bne    rs1',x0,imm     rs1',target

c.slli      000 u[5]        rw      u[4:0]          10   slli   rw,rw,imm       rw,imm
c.fldsp     001 u[5]        rd      u[4:3|8:6]      10   fld    rd,imm(x2)      fd,imm(x2)
c.lwsp      010 u[5]        rd      u[4:2|7:6]      10   lw     rd,imm(x2)      rd,imm(x2)     rd!=0
c.ldsp      011 u[5]        rd      u[4:3|8:6]      10   ld     rd,imm(x2)      rd,imm(x2)     rd!=0
c.jr        100 0           rs1     00000           10   jalr   x0,imm(rs1)     rs1            rs1!=0
c.mv        100 0           rd      rs2             10   add    rd,x0,rs2       rd,rs2         rs2!=0
c.ebreak    100 1           00000   00000           10   ebreak -               -
c.jalr      100 1           rs1     00000           10   jalr   x1,imm(rs1)     rs1            rs1!=0
c.add       100 1           rw      rs2             10   add    rw,rw,rs2       rw,rs2         rs2!=0
c.fsdsp     101 u[5:3|8:6]          rs2             10   fsd    rs2,imm(x2)     fs2,imm(x2)
c.swsp      110 u[5:2|7:6]          rs2             10   sw     rs2,imm(x2)     rs2,imm(x2)
c.sdsp      111 u[5:3|8:6]          rs2             10   sd     rs2,imm(x2)     rs2,imm(x2)
`;
