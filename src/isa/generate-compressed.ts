// Writes the core's expansion of compressed instructions (AssemblyScript).
import { COMPRESSED, type CompressedInstruction, type CompressedRegister } from './compressed-table.ts';
import type { Format } from './fields.ts';
import { HEADER, hex } from './generate-decoder.ts';

const fieldOf = (low: number, width: number): string =>
  low === 0 ? `(c & ${hex(2 ** width - 1)})` : `((c >> ${low}) & ${hex(2 ** width - 1)})`;

const registerValue = (register: CompressedRegister): string => {
  if (register.kind === 'fixed') return `${register.number}`;
  return register.short ? `(${fieldOf(register.low, 3)} + 8)` : fieldOf(register.low, 5);
};

function immediateValue(one: CompressedInstruction): string {
  const pieces = one.immediate.map((piece) => {
    // The highest bit of a signed immediate, negated, is all the bits above it as well.
    const sign = one.signed && piece.to + piece.width === one.immediateWidth;
    if (!sign) return shifted(fieldOf(piece.from, piece.width), piece.to);
    const top = `(0 - ${fieldOf(piece.from + piece.width - 1, 1)})`;
    const rest = piece.width > 1 ? [shifted(fieldOf(piece.from, piece.width - 1), piece.to)] : [];
    return [shifted(top, one.immediateWidth - 1), ...rest].join(' | ');
  });
  return pieces.join(' | ');
}

const shifted = (text: string, by: number): string => (by === 0 ? text : `(${text} << ${by})`);

/** The variable `imm` at its place in a word of this format. */
const PLACED: Partial<Record<Format, string>> = {
  I: '(imm << 20)',
  SHIFT: '(imm << 20)',
  S: '((imm >> 5) << 25) | ((imm & 0x1f) << 7)',
  B: '((imm >> 12) << 31) | (((imm >> 5) & 0x3f) << 25) | (((imm >> 1) & 0xf) << 8) | (((imm >> 11) & 1) << 7)',
  J: '((imm >> 20) << 31) | (((imm >> 1) & 0x3ff) << 21) | (((imm >> 11) & 1) << 20) | (((imm >> 12) & 0xff) << 12)',
  U: '(imm & 0xfffff000)',
};

function registerTerm(register: CompressedRegister | undefined, low: number): string[] {
  if (register === undefined || (register.kind === 'fixed' && register.number === 0)) return [];
  return [`(${registerValue(register)} << ${low})`];
}

/** Statements that return the expansion; quadrant and funct3 have been looked at. */
function generateOne(one: CompressedInstruction): string[] {
  const rest = one.mask & ~0xe003;
  const conditions = rest === 0 ? [] : [`(c & ${hex(rest)}) == ${hex(one.match & rest)}`];
  for (const [field, value] of one.exclusions) {
    if (field === 'imm') continue;
    const register = Object.values(one.registers).find(
      (candidate) => candidate.kind === 'field' && candidate.name === field,
    );
    if (register !== undefined) conditions.push(`${registerValue(register)} != ${value}`);
  }
  const lines: string[] = [];
  const terms = [hex(one.base.match)];
  if (one.immediate.length > 0) {
    lines.push(`const imm: u32 = ${immediateValue(one)};`);
    // A reserved immediate is always one whose other reading is reserved too.
    if (one.exclusions.some(([field]) => field === 'imm')) lines.push('if (!imm) return 0;');
    terms.push(PLACED[one.base.format] ?? '0');
  }
  terms.push(
    ...registerTerm(one.registers.rd, 7),
    ...registerTerm(one.registers.rs1, 15),
    ...registerTerm(one.registers.rs2, 20),
  );
  lines.push(`return ${terms.join(' | ')};`);
  if (conditions.length === 0)
    return [`      // ${one.mnemonic}`, '      {', ...lines.map((line) => `        ${line}`), '      }'];
  return [
    `      if (${conditions.join(' && ')}) {`,
    `        // ${one.mnemonic}`,
    ...lines.map((line) => `        ${line}`),
    '      }',
  ];
}

/** compressed.ts: expandCompressed(). */
export function generateCompressed(): string {
  const groups = new Map<number, CompressedInstruction[]>();
  for (const one of COMPRESSED) {
    const key = ((one.match & 3) << 3) | (one.match >> 13);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const lines = [
    HEADER,
    '/** The 32-bit word that a compressed instruction (16 bits) stands for; 0 when it is illegal or reserved. */',
    'export function expandCompressed(c: u32): u32 {',
    '  switch (((c & 3) << 3) | (c >> 13)) {',
  ];
  for (const [key, group] of [...groups].sort(([a], [b]) => a - b)) {
    const whole = group.at(-1);
    lines.push(`    case ${hex(key)}: {`, ...group.flatMap(generateOne));
    const always =
      whole !== undefined &&
      (whole.mask & ~0xe003) === 0 &&
      whole.exclusions.every(([field]) => field === 'imm');
    if (!always) lines.push('      return 0;');
    lines.push('    }');
  }
  return `${[...lines, '  }', '  return 0;', '}'].join('\n')}\n`;
}
