// Pseudo-instructions that stand for one instruction, as data: the assembler reads the lines from left to right, the
// disassembler from right to left (the first that fits). Spelling as GNU's; unprivileged ISA 20240411, appendix A of
// the assembly manual.
//
// An operand on the right is a name from the left, or fixed. `asm` in the last column: for the assembler only; `c`: the
// disassembler uses it for compressed instructions only; `wide`: not for those; `no-asm`: the assembler does not.
import { csrNumber } from './csr-names.ts';
import { findInstruction, type Instruction, InstructionTableError, linesOf } from './instruction-table.ts';
import { fNumber, xNumber } from './registers.ts';

const ALIAS_LINES = `
unimp       -                 csrrw    x0,cycle,x0
nop         -                 addi     x0,x0,0
li          rd,imm            addi     rd,x0,imm        no-asm
mv          rd,rs1            addi     rd,rs1,0         wide
mv          rd,rs2            add      rd,x0,rs2        c-no-asm
not         rd,rs1            xori     rd,rs1,-1
neg         rd,rs2            sub      rd,x0,rs2
negw        rd,rs2            subw     rd,x0,rs2
sext.w      rd,rs1            addiw    rd,rs1,0
zext.b      rd,rs1            andi     rd,rs1,255
zext.w      rd,rs1            add.uw   rd,rs1,x0
seqz        rd,rs1            sltiu    rd,rs1,1
snez        rd,rs2            sltu     rd,x0,rs2
sltz        rd,rs1            slt      rd,rs1,x0
sgtz        rd,rs2            slt      rd,x0,rs2
sgt         rd,rs2,rs1        slt      rd,rs1,rs2       asm
sgtu        rd,rs2,rs1        sltu     rd,rs1,rs2       asm

beqz        rs1,target        beq      rs1,x0,target
bnez        rs1,target        bne      rs1,x0,target
blez        rs2,target        bge      x0,rs2,target
bgez        rs1,target        bge      rs1,x0,target
bltz        rs1,target        blt      rs1,x0,target
bgtz        rs2,target        blt      x0,rs2,target
bgt         rs2,rs1,target    blt      rs1,rs2,target   asm
ble         rs2,rs1,target    bge      rs1,rs2,target   asm
bgtu        rs2,rs1,target    bltu     rs1,rs2,target   asm
bleu        rs2,rs1,target    bgeu     rs1,rs2,target   asm
j           target            jal      x0,target
jal         target            jal      x1,target
ret         -                 jalr     x0,0(x1)
jr          rs1               jalr     x0,0(rs1)
jr          off(rs1)          jalr     x0,off(rs1)
jalr        rs1               jalr     x1,0(rs1)
jalr        off(rs1)          jalr     x1,off(rs1)
jalr        rd,rs1            jalr     rd,0(rs1)

frcsr       rd                csrrs    rd,fcsr,x0
frrm        rd                csrrs    rd,frm,x0
frflags     rd                csrrs    rd,fflags,x0
fscsr       rs1               csrrw    x0,fcsr,rs1
fscsr       rd,rs1            csrrw    rd,fcsr,rs1
fsrm        rs1               csrrw    x0,frm,rs1
fsrm        rd,rs1            csrrw    rd,frm,rs1
fsflags     rs1               csrrw    x0,fflags,rs1
fsflags     rd,rs1            csrrw    rd,fflags,rs1
fsrmi       zimm              csrrwi   x0,frm,zimm       asm
fsrmi       rd,zimm           csrrwi   rd,frm,zimm
fsflagsi    zimm              csrrwi   x0,fflags,zimm       asm
fsflagsi    rd,zimm           csrrwi   rd,fflags,zimm
rdcycle     rd                csrrs    rd,cycle,x0
rdtime      rd                csrrs    rd,time,x0
rdinstret   rd                csrrs    rd,instret,x0
csrr        rd,csr            csrrs    rd,csr,x0
csrw        csr,rs1           csrrw    x0,csr,rs1
csrs        csr,rs1           csrrs    x0,csr,rs1
csrc        csr,rs1           csrrc    x0,csr,rs1
csrwi       csr,zimm          csrrwi   x0,csr,zimm
csrsi       csr,zimm          csrrsi   x0,csr,zimm
csrci       csr,zimm          csrrci   x0,csr,zimm

fmv.s       fd,fs1            fsgnj.s  fd,fs1,fs1
fneg.s      fd,fs1            fsgnjn.s fd,fs1,fs1
fabs.s      fd,fs1            fsgnjx.s fd,fs1,fs1
fgt.s       rd,fs2,fs1        flt.s    rd,fs1,fs2       asm
fge.s       rd,fs2,fs1        fle.s    rd,fs1,fs2       asm
fmv.d       fd,fs1            fsgnj.d  fd,fs1,fs1
fneg.d      fd,fs1            fsgnjn.d fd,fs1,fs1
fabs.d      fd,fs1            fsgnjx.d fd,fs1,fs1
fgt.d       rd,fs2,fs1        flt.d    rd,fs1,fs2       asm
fge.d       rd,fs2,fs1        fle.d    rd,fs1,fs2       asm

fence       -                 fence    iorw,iorw
sfence.vma  -                 sfence.vma x0,x0
sfence.vma  rs1               sfence.vma rs1,x0
`;

/** What stands in an operand of the base instruction: an operand of the alias, or a value. */
export type AliasSlot =
  | { readonly kind: 'operand'; readonly name: string }
  | { readonly kind: 'fixed'; readonly value: number };

export interface Alias {
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly base: Instruction;
  /** By the name of the base instruction's operand. */
  readonly slots: ReadonlyMap<string, AliasSlot>;
  readonly assembled: boolean;
  readonly disassembled: 'always' | 'compressed' | 'wide' | 'never';
}

/** The names in an operand: off(rs1) has two. */
export const slotNames = (operand: string): string[] => operand.split(/[()]/).filter((name) => name !== '');

/** Names of operands that are registers, immediates and the like; anything else in an alias is fixed. */
const isOperandName = (name: string): boolean =>
  /^([rf](d|s[123])|imm|off|target|upper|shamt|csr|zimm|pred|succ|rm)$/.test(name);

function fixedValue(text: string): number {
  const value = xNumber(text) ?? fNumber(text) ?? csrNumber(text) ?? (text === 'iorw' ? 15 : Number(text));
  if (Number.isNaN(value)) throw new InstructionTableError(`an alias has the unknown operand "${text}"`);
  return value;
}

function parseLine(line: string): Alias {
  const [mnemonic = '', operandList = '', baseName = '', baseOperands = '', use = ''] = line.split(/\s+/);
  const base = findInstruction(baseName);
  if (base === undefined) throw new InstructionTableError(`no base instruction in the alias: ${line}`);
  const targets = base.operands.filter((operand) => operand !== 'rm').flatMap(slotNames);
  const given = baseOperands.split(',').flatMap(slotNames);
  if (targets.length !== given.length)
    throw new InstructionTableError(`operands do not fit in the alias: ${line}`);
  const slots = new Map<string, AliasSlot>();
  for (const [index, target] of targets.entries()) {
    const text = given[index] ?? '';
    slots.set(
      target,
      isOperandName(text) ? { kind: 'operand', name: text } : { kind: 'fixed', value: fixedValue(text) },
    );
  }
  return {
    mnemonic,
    operands: operandList === '-' ? [] : operandList.split(','),
    base,
    slots,
    assembled: !use.includes('no-asm'),
    disassembled:
      use === 'asm' ? 'never' : use.startsWith('c') ? 'compressed' : use === 'wide' ? 'wide' : 'always',
  };
}

export const ALIASES: readonly Alias[] = linesOf(ALIAS_LINES).map(parseLine);

const byBase = new Map<string, Alias[]>();
for (const alias of ALIASES) {
  byBase.set(alias.base.mnemonic, [...(byBase.get(alias.base.mnemonic) ?? []), alias]);
}

/** The alias a disassembler shows for operand values of an instruction, undefined when there is none. */
export function findAlias(
  base: Instruction,
  values: ReadonlyMap<string, number>,
  compressed: boolean,
): Alias | undefined {
  return byBase.get(base.mnemonic)?.find((alias) => {
    if (alias.disassembled !== 'always' && alias.disassembled !== (compressed ? 'compressed' : 'wide'))
      return false;
    for (const [target, slot] of alias.slots) {
      const value = slot.kind === 'fixed' ? slot.value : values.get(slot.name);
      if (values.get(target) !== value) return false;
    }
    return true;
  });
}
