// Node only. Compares the disassembler with GNU objdump, line by line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { disassemble } from './disassemble.ts';

export interface Difference {
  address: string;
  word: string;
  ours: string;
  theirs: string;
}

export interface Comparison {
  lines: number;
  /** How many lines differ without a known reason; `differences` has the first of them. */
  different: number;
  differences: Difference[];
  /** How many lines differ for a known reason, by the reason. */
  explained: Map<string, number>;
}

const LINE = /^\s*([0-9a-f]+):\s+([0-9a-f]{4}(?:[0-9a-f]{4})?)\s*\t(\S.*)$/;

// binutils before 2.41 leave the i out of instructions with an immediate (`add sp,sp,-16`), later ones do not.
const IMMEDIATE_FORMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'add',
      'and',
      'or',
      'xor',
      'sll',
      'srl',
      'sra',
      'slt',
      'ror',
      'bclr',
      'bset',
      'binv',
      'bext',
      'csrw',
      'csrs',
      'csrc',
      'csrrw',
      'csrrs',
      'csrrc',
    ].map((name) => [name, `${name}i`]),
  ),
  ...{ addw: 'addiw', sllw: 'slliw', srlw: 'srliw', sraw: 'sraiw', rorw: 'roriw', sltu: 'sltiu' },
};

const withImmediateForm = (text: string): string =>
  text.replace(/^([a-z]+)/, (name) =>
    /,(?:-?[0-9]+|0x[0-9a-f]+)$/.test(text) ? (IMMEDIATE_FORMS[name] ?? name) : name,
  );

const BRANCHES =
  /^((?:j|jal|c\.j|c\.b(?:eq|ne)z|b(?:eq|ne|lt|ge|ltu|geu|eqz|nez|lez|gez|ltz|gtz)) (?:[a-z0-9]+,){0,2})([0-9a-f]+)$/;

/** objdump's text of an instruction in our form: no symbols, comments or tabs, 0x before a target. */
function normalize(text: string): string {
  const plain = text
    .replace(/\s+#.*$/, '')
    .replace(/\s*<[^>]*>$/, '')
    .replace(/\s+/, ' ')
    .trim();
  return withImmediateForm(plain).replace(BRANCHES, (_, head, digits) => `${head}0x${digits}`);
}

// Where we and binutils 2.40 differ on purpose.
const KNOWN: readonly (readonly [reason: string, test: (one: Difference) => boolean])[] = [
  [
    'Zicond came with binutils 2.41',
    ({ ours, theirs }) => ours.startsWith('czero.') && theirs.startsWith('.4byte'),
  ],
  [
    'binutils 2.40 has no rounding mode on conversions that are always exact',
    ({ ours, theirs }) =>
      theirs.startsWith('.4byte') && /^fcvt\.[sd]\.(wu?|s|h) .*,(rtz|rdn|rup|rmm|dyn|unknown)$/.test(ours),
  ],
  [
    'the CSR exists in RV32 only',
    ({ ours, theirs }) =>
      ours.replace(/0x[0-9a-f]+/, '') === theirs.replace(/\b([a-z]\w*h|pmpcfg\d?[13579])(?=,|$)/, ''),
  ],
  [
    'a compressed shift by 0 is a hint, which binutils gives its RV128 name',
    ({ ours, theirs }) => /^c\.s[lr][la]i64 /.test(theirs) && ours === `${theirs.replace('64', '')},0x0`,
  ],
  ['c.addi16sp with 0 is reserved', ({ ours, word }) => word === '6101' && ours === '.2byte 0x6101'],
  ['binutils has no name for c.nop', ({ ours, theirs }) => ours === 'c.nop' && theirs === 'c.addi zero,0'],
];

/** Runs objdump with these arguments and compares every line of its output. At most `keep` differences are kept. */
export async function compareWithObjdump(
  args: readonly string[],
  aliases = true,
  keep = 50,
): Promise<Comparison> {
  const objdump = spawn('riscv64-linux-gnu-objdump', [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let failure: Error | undefined;
  objdump.on('error', () => {
    failure = new Error(
      'riscv64-linux-gnu-objdump cannot be run: install the Debian package binutils-riscv64-linux-gnu',
    );
  });
  const closed = new Promise<number | null>((done) => objdump.on('close', done));
  const comparison: Comparison = { lines: 0, different: 0, differences: [], explained: new Map() };
  // Line by line: the output for a kernel is longer than a string may be.
  for await (const line of createInterface({ input: objdump.stdout })) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, address = '', word = '', text = ''] = match;
    comparison.lines++;
    const theirs = normalize(text);
    const ours = disassemble(Number.parseInt(word, 16), BigInt(`0x${address}`), { aliases });
    if (ours === theirs) continue;
    const difference = { address, word, ours, theirs };
    const reason = KNOWN.find(([, test]) => test(difference))?.[0];
    if (reason !== undefined) comparison.explained.set(reason, (comparison.explained.get(reason) ?? 0) + 1);
    else if (comparison.different++ < keep) comparison.differences.push(difference);
  }
  const status = await closed;
  if (failure !== undefined) throw failure;
  if (status !== 0) throw new Error(`riscv64-linux-gnu-objdump ended with exit status ${status}`);
  return comparison;
}
