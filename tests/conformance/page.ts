// The text of docs/conformance.md: from the instruction table, from the core itself, and from the claims beside this file.
import { COMPRESSED } from '../../src/isa/compressed-table.ts';
import { csrName } from '../../src/isa/csr-names.ts';
import { INSTRUCTIONS } from '../../src/isa/instruction-table.ts';
import { SUBJECT_NAMES } from '../diff/generator.ts';
import { bareCore } from '../support/core.ts';
import { type Claim, PRIVILEGED, type Proof, WHOLE, WITHOUT_QEMU } from './features.ts';

const ALL_ONES = (1n << 64n) - 1n;

const INTRODUCTION = `# Conformance

What of the architecture the machine has, and which tests hold it. This page is generated: from the instruction table, from
the core's own CSRs, and from the list of claims in \`tests/conformance/features.ts\`, each of which names tests that exist.
\`HYPERTAB_WRITE=1 npx vitest run tests/conformance\` writes it; the same test without the variable holds it up to date.
[coverage.md](coverage.md) lists every instruction; [testing.md](testing.md) says what is compared with what.

Specifications: The RISC-V Instruction Set Manual 20240411, volumes I (unprivileged) and II (privileged), Sstc 1.0, Svadu 1.0,
SBI 2.0, Virtio 1.2, SiFive CLINT and PLIC, NS16550A, Goldfish RTC.
`;

const DIFFERENCES = `
## Where the machine differs from hardware you may know

All of these are choices that the specifications leave open.

- One hart. \`fence\` orders nothing that could be out of order; \`fence.i\` has nothing left to do, as stores into code show at once.
- Misaligned loads and stores succeed, also over a page boundary; misaligned atomics and anything misaligned to a device trap.
- \`mcycle\` counts instructions, as \`minstret\` does; \`time\` is the host's clock, or instructions divided by ten on request.
- Performance counters 3 to 31 are there and read zero. No debug triggers, no hypervisor, no vector extension.
- \`satp\` has 16 bits of address space; translations are not tagged by it: a write of \`satp\` ends them all.
- Hardware sets A and D (Svadu) after reset; firmware that clears \`menvcfg.ADUE\` gets page faults instead.
- An \`sc\` succeeds if nothing but the hart's own plain stores came between; the reservation is 8 bytes.
- A trap handler that cannot be fetched, or whose first instruction is illegal, stops the machine: it could never go on.
- The real-time clock's alarm has the resolution of a run of guest code: about 2 ms with the host's clock; exact with the
  instruction clock.
- PMP regions have a grain of four bytes; entries that cut a page make its accesses slower, not less exact.

## Where QEMU 7.2 departs from the specification

Found by these tests; they leave the cases out or compare with a newer rule, and say so where they do.

| QEMU 7.2 | the specification |
|---|---|
| gives 63 for \`ctzw\` of 0x8000000000000000: it counts on into the upper half | 32, the width of a word without a set bit (28.2, \`ctzw\`) |
| compares address and value at \`sc\`, so that a store of the same value keeps a reservation | any store may end it; success and failure are both allowed (13.2) |
| has no Zicond, Zawrs, Zicbom, Zicboz | chapters 12, 14 and 19 |

## Long runs

By hand on 21 November 2026, on the commit that added this page or a few before it, Node 20:

| what | how much | differences left |
|---|---|---|
| \`npm run test:diff -- --seed 1000000 --count 10000000\` | 10,002,665 instructions in 538,400 cases; 97 % of the translating machine's ran translated; 1,505,411 more after the translator's next change | none |
| floating point, \`HYPERTAB_LONG=1\` | 168,000,000 cases, 2 to 3 million for each of 64 instructions; 2,452,545 of them in exact arithmetic too; 116,000,000 more after the translator's next change | none |
| registers of 18 regions, \`HYPERTAB_LONG=1\` | 1,000,000 operations each; the slowest took 14 ms | no exception |
| SBI calls | 1,000,481 | no exception |
| virtqueues of entropy device, balloon, three drives (one that answers late), a share | 1,000,000 operations each, 42,000 to 57,000 of the requests answered; the slowest took 12 ms; nothing outside RAM, no write untold | no exception |
| privileged scenarios on qemu-system-riscv64 and both engines | 36,000 from nine seeds | none |
| OpenSBI 1.6 (fw_dynamic, fw_jump), U-Boot (u-boot-qemu), Debian's 6.12.107 and 7.2.13 | boot to their programs' ends | none |
| gcc, openssl (with its FIPS self-tests), perl, sqlite3, bc, compressors, stress-ng \`--verify\` | 60 thousand million instructions | none |
`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)];
}

const proofs = (list: readonly Proof[]): string =>
  list.map(([file, title]) => (title === '' ? `\`${file}\`` : `\`${file}\`: ${title}`)).join('; ');

const claims = (list: readonly Claim[]): string[] =>
  table(
    ['what', 'section', 'held by'],
    list.map((claim) => [claim.what, claim.section, proofs(claim.proofs)]),
  );

/** Rows of extensions: how many instructions, and how many of them are compared with QEMU in random sequences. */
function extensions(): string[][] {
  const compared = new Set(SUBJECT_NAMES);
  const rows = [...new Set(INSTRUCTIONS.map((one) => one.extension))].map((extension) => {
    const members = INSTRUCTIONS.filter((one) => one.extension === extension);
    const random = members.filter((one) => compared.has(one.mnemonic)).length;
    const rest = members.filter((one) => !compared.has(one.mnemonic)).map((one) => `\`${one.mnemonic}\``);
    const others = rest.length === 0 ? '' : `${rest.join(', ')}: ${proofs(WITHOUT_QEMU[extension] ?? [])}`;
    return [extension, String(members.length), String(random), others];
  });
  const random = COMPRESSED.filter((one) => compared.has(one.mnemonic)).length;
  const rest = COMPRESSED.filter((one) => !compared.has(one.mnemonic)).map((one) => `\`${one.mnemonic}\``);
  rows.push([
    'C',
    String(COMPRESSED.length),
    String(random),
    `${rest.join(', ')}: ${proofs(WITHOUT_QEMU.I ?? [])}`,
  ]);
  return rows;
}

const hex = (value: bigint): string => `\`0x${value.toString(16)}\``;

const MCYCLE = 0xb00;
const MINSTRET = 0xb02;
const MIDELEG = 0x303;
const SATP = 0x180;
const SV39 = 8n << 60n;

/** What each CSR holds after reset, and which bits a write decides; neighbours that are alike share a row. */
function registers(): string[][] {
  const { core } = bareCore({ ramBytes: 1 << 20 });
  const { hart } = core;
  /** A CSR's value after a write to a core that was reset, with everything delegated that can be. */
  const written = (csr: number, value: bigint): bigint => {
    core.reset();
    if (csr !== MIDELEG) hart.writeCsr(MIDELEG, ALL_ONES);
    hart.writeCsr(csr, value);
    return hart.readCsr(csr) ?? 0n;
  };
  const sticking = (csr: number): string => {
    if (csr >> 10 === 3) return 'read-only';
    if (csr === MCYCLE || csr === MINSTRET) return hex(ALL_ONES);
    let bits = written(csr, ALL_ONES) ^ written(csr, 0n);
    // A write with a mode that is not there changes nothing.
    if (csr === SATP) bits = written(csr, SV39 | (ALL_ONES >> 4n)) & ~SV39;
    return bits === 0n ? 'none' : hex(bits);
  };
  const rows: { first: number; last: number; cells: string[] }[] = [];
  for (let csr = 0; csr < 0x1000; csr++) {
    core.reset();
    const reset = hart.readCsr(csr);
    if (reset === undefined) continue;
    const cells = [hex(reset), sticking(csr)];
    const last = rows.at(-1);
    const numbered = (one: number): string => (csrName(one) ?? '').replace(/\d+$/, '#');
    if (last?.last === csr - 1 && String(last.cells) === String(cells) && numbered(csr) === numbered(csr - 1))
      last.last = csr;
    else rows.push({ first: csr, last: csr, cells });
  }
  return rows.map(({ first, last, cells }) => {
    const names = [first, last].map((csr) => csrName(csr) ?? csr.toString(16));
    const address = first === last ? first.toString(16) : `${first.toString(16)}–${last.toString(16)}`;
    return [`0x${address}`, `\`${first === last ? names[0] : names.join('` to `')}\``, ...cells];
  });
}

/** The text of docs/conformance.md. */
export function conformancePage(): string {
  return [
    INTRODUCTION,
    '## Extensions',
    '',
    'Random: in the sequences that run on both engines and under qemu-riscv64 (tests/diff).',
    '',
    ...table(['extension', 'instructions', 'random', 'the others'], extensions()),
    '',
    '## Control and status registers',
    '',
    'As the core answers. Writable: bits that differ between a write of all ones and one of all zeros after reset, with all interrupts delegated; for `satp`, besides the modes 0, 8, 9 and 10.',
    'tests/core/csr-access.test.ts and csr-fields.test.ts hold who may access them and what they keep.',
    '',
    ...table(['address', 'name', 'after reset', 'writable'], registers()),
    '',
    '## Privileged features',
    '',
    ...claims(PRIVILEGED),
    '',
    '## The machine as a whole',
    '',
    ...claims(WHOLE),
    DIFFERENCES,
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}
