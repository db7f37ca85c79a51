// The coverage page: every instruction of the table with its encoding, format and extension.
import { COMPRESSED } from './compressed-table.ts';
import { HINT_INSTRUCTIONS, INSTRUCTIONS, type Instruction } from './instruction-table.ts';

const INTRODUCTION = `# Instructions

What the machine executes: RV64GC and the extensions below. This page is generated from the instruction table in
\`src/isa/instructions-*.ts\` (\`node build/src/isa/coverage.js\` writes it, a test holds it up to date); the core's decoder,
the disassembler and the assembler are derived from the same lines. Any other encoding raises an illegal-instruction
exception.

An encoding is written from bit 31 (or 15) down: fixed bits, and names of fields. \`any\` fields are reserved and ignored.
`;

const TITLES: Readonly<Record<string, string>> = {
  I: 'RV64I: base integer instructions',
  M: 'M: multiplication and division',
  A: 'A: atomic instructions',
  F: 'F: single-precision floating point',
  D: 'D: double-precision floating point',
  Zfhmin: 'Zfhmin: half precision, loads, stores and conversions',
  Zicsr: 'Zicsr: control and status registers (with Zicntr: cycle, time and instret are CSRs)',
  Zifencei: 'Zifencei: instruction-fetch fence',
  Zba: 'Zba: address generation',
  Zbb: 'Zbb: basic bit manipulation',
  Zbs: 'Zbs: single bits',
  Zbc: 'Zbc: carry-less multiplication',
  Zicond: 'Zicond: conditional operations',
  Zawrs: 'Zawrs: wait on reservation set',
  Zicbom: 'Zicbom: cache-block management',
  Zicboz: 'Zicboz: cache-block zero',
  S: 'Supervisor instructions',
  'M-mode': 'Machine-mode instructions',
  Svinval: 'Svinval: fine-grained invalidation of translations',
};

const code = (text: string): string => `\`${text}\``;

/** Rows with columns padded, as a Markdown table. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)];
}

const syntax = (mnemonic: string, operands: readonly string[]): string =>
  operands.length === 0 ? mnemonic : `${mnemonic} ${operands.filter((one) => one !== 'rmx').join(',')}`;

const row = (one: Instruction): string[] => [
  code(syntax(one.mnemonic, one.operands)),
  code(one.pattern.join(' ')),
  one.format,
];

/** A vertical bar would end a cell of the table. */
const cell = (text: string): string => code(text).replaceAll('|', '\\|');

/** The text of docs/coverage.md. */
export function coveragePage(): string {
  const lines = [INTRODUCTION];
  const extensions = [...new Set(INSTRUCTIONS.map((one) => one.extension))];
  const total = INSTRUCTIONS.length + COMPRESSED.length;
  lines.push(`${total} instructions: ${INSTRUCTIONS.length} of 32 bits, ${COMPRESSED.length} of 16 bits.`);
  for (const extension of extensions) {
    const members = INSTRUCTIONS.filter((one) => one.extension === extension);
    lines.push('', `## ${TITLES[extension] ?? extension}`, '');
    lines.push(...table(['instruction', 'encoding', 'format'], members.map(row)));
  }
  lines.push('', '## C: compressed instructions', '');
  lines.push(
    'Each is executed as the 32-bit instruction it stands for. `u[…]` and `s[…]` are pieces of an immediate, zero- and',
    "sign-extended; `rd'`, `rs1'`, `rs2'` and `rw'` are registers 8 to 15, `rw` is both rd and rs1.",
    '',
  );
  const compressed = COMPRESSED.map((one) => [
    code(syntax(one.mnemonic, one.operands)),
    cell(one.pattern.join(' ')),
    code(one.expansion),
    one.exclusions.map(([field, value]) => `${field} ≠ ${value}`).join(', '),
  ]);
  lines.push(...table(['instruction', 'encoding', 'stands for', 'reserved unless'], compressed));
  lines.push('', '## Named hints (Zihintpause, Zicbop, TSO fence)', '');
  lines.push('Executed as the instruction whose encoding they are part of.', '');
  const hints = HINT_INSTRUCTIONS.map((one) => [
    ...row(one).slice(0, 2),
    code(one.hintOf ?? ''),
    one.extension,
  ]);
  lines.push(...table(['instruction', 'encoding', 'executed as', 'extension'], hints));
  return `${lines.join('\n')}\n`;
}
