// What docs/conformance.md claims besides what it reads off the table and the core: each claim names tests that hold it.

/** A test file, and words that a title in it has. */
export type Proof = readonly [file: string, title: string];

export interface Claim {
  readonly what: string;
  /** Where the specification says so. */
  readonly section: string;
  readonly proofs: readonly Proof[];
}

const core = (file: string, title: string): Proof => [`tests/core/${file}.test.ts`, title];

/** Privileged architecture 20240411 unless it says otherwise. */
export const PRIVILEGED: readonly Claim[] = [
  {
    what: 'M-, S- and U-mode; no hypervisor extension',
    section: '1.2',
    proofs: [core('csr-fields', 'of misa keeps RV64')],
  },
  {
    what: 'delegation by medeleg and mideleg; never out of M-mode',
    section: '3.1.8',
    proofs: [
      core('traps', 'sends an exception of U- or S-mode to S-mode'),
      core('traps', 'of an ecall is by the mode'),
    ],
  },
  {
    what: 'state stacked at a trap, nested traps, returns',
    section: '3.1.6.1, 3.3.2',
    proofs: [
      core('traps', 'survives a trap within a handler'),
      core('privileged-qemu', 'end on QEMU and here'),
    ],
  },
  {
    what: 'mtval and stval: the instruction’s bits, the faulting part’s address, zero for ecall and interrupts',
    section: '3.1.16, 4.1.9',
    proofs: [
      core('traps', 'of an illegal instruction holds its 32 bits'),
      core('traps', 'of an access fault holds'),
    ],
  },
  {
    what: 'MPRV lends loads and stores, not fetches; cleared by returns out of M-mode',
    section: '3.1.6.3',
    proofs: [
      core('translation', 'gives M-mode’s loads and stores'),
      core('privileged-instructions', 'ends MPRV'),
    ],
  },
  {
    what: 'SUM and MXR, at once, on pages in use too',
    section: '3.1.6.3',
    proofs: [
      core('tlb', 'SUM, MXR and the mode take effect at once'),
      core('translated-privileged', 'obeys SUM'),
    ],
  },
  {
    what: 'TVM, TW and TSR',
    section: '3.1.6.5',
    proofs: [
      core('csr-access', 'is refused to S-mode, for reads too'),
      core('privileged-qemu', 'cover every cause'),
    ],
  },
  {
    what: 'FS: off is illegal, writes make it dirty, SD follows',
    section: '3.1.6.6',
    proofs: [
      core('instructions-float-state', 'is illegal while FS is off'),
      core('csr-fields', 'shows SD only'),
    ],
  },
  {
    what: 'counters and their enables, inhibition, writes that the next instruction reads',
    section: '3.1.10 to 3.1.12',
    proofs: [
      core('counters-timers', 'stand still while inhibited'),
      core('csr-access', 'are open to U-mode'),
    ],
  },
  {
    what: 'interrupts in the order MEI MSI MTI SEI SSI STI, at the instruction they are due',
    section: '3.1.9',
    proofs: [
      core('interrupts', 'in the order MEI MSI MTI'),
      core('counters-timers', 'however the run is sliced'),
    ],
  },
  {
    what: 'Sstc: stimecmp, gated by menvcfg.STCE and mcounteren.TM',
    section: 'Sstc 1.0',
    proofs: [core('counters-timers', 'drives STIP'), core('csr-access', 'menvcfg.STCE and mcounteren.TM')],
  },
  {
    what: 'WFI ends by any locally enabled interrupt',
    section: '3.3.3',
    proofs: [core('interrupts', 'ends by a locally enabled interrupt')],
  },
  {
    what: 'PMP: 16 entries, grain 4; first match, partial matches fail, locking, locked top-of-range neighbours',
    section: '3.7',
    proofs: [core('pmp', 'exactly where the first entry'), core('pmp', 'locks the address below it')],
  },
  {
    what: 'Sv39, Sv48, Sv57: leaves at every level, misaligned superpages, canonical addresses, access faults of the walk',
    section: '4.3 to 4.6',
    proofs: [
      core('translation', 'by a leaf at every level'),
      core('translation', 'do not repeat the top one'),
    ],
  },
  {
    what: 'Svadu: A and D set by the walk while menvcfg.ADUE is set, page faults while it is not',
    section: 'Svadu 1.0',
    proofs: [core('translation', 'and marks A and D'), core('tlb', 'menvcfg.ADUE and PBMTE')],
  },
  {
    what: 'Svnapot: 64 KiB; other sizes reserved',
    section: 'chapter 5',
    proofs: [core('translation', 'maps 64 KiB'), core('translation', 'has no other size')],
  },
  {
    what: 'Svpbmt: types accepted and reserved bits checked; memory is coherent, so a type changes nothing else',
    section: 'chapter 6',
    proofs: [core('translation', 'memory types need'), core('translation', 'bits 54 to 60')],
  },
  {
    what: 'sfence.vma and sinval.vma by address and address space; a write of satp',
    section: '4.2.1, Svinval',
    proofs: [
      core('tlb', 'shows loads the new one'),
      core('tlb', 'a write of satp changes address space'),
      core('tlb', 'stay in the TLB over a write of satp'),
    ],
  },
  {
    what: 'Svvptc: a PTE made valid is seen without a fence; the TLB keeps nothing that is not valid',
    section: 'Svvptc 1.0',
    proofs: [core('tlb', 'a page made valid is seen')],
  },
  {
    what: 'LR and SC: one reservation, ended by any SC and by the host’s writes',
    section: 'unprivileged 13.2',
    proofs: [core('atomics', 'pairs with the latest lr only'), core('atomics', 'after another sc')],
  },
  {
    what: 'misaligned loads and stores work, over two pages too; misaligned atomics trap',
    section: '3.6.3',
    proofs: [
      core('atomics', 'raises load address misaligned'),
      core('translation', 'reads and writes both frames'),
    ],
  },
  {
    what: 'reserved instructions and CSRs are illegal instructions',
    section: '2.1',
    proofs: [
      core('instructions-each', 'with the word in mtval'),
      core('csr-access', 'that is refused leaves rd'),
    ],
  },
  {
    what: 'code may change: stores show at once, fence.i is enough where the manual asks for it',
    section: 'Zifencei',
    proofs: [core('instructions-code-changes', 'shows a %s to the next instruction')],
  },
];

/** What one and the same run must be, whoever runs it. */
export const WHOLE: readonly Claim[] = [
  {
    what: 'random sequences of user-level instructions leave what qemu-riscv64 leaves, interpreted and translated',
    section: '`npm run test:diff`',
    proofs: [['tests/diff/qemu-user.test.ts', 'leave the registers, flags and memory']],
  },
  {
    what: 'floating point: QEMU and exact arithmetic agree with both engines, bits and flags, five rounding modes',
    section: 'tests/float',
    proofs: [['tests/float/engines.test.ts', 'on QEMU and in exact arithmetic']],
  },
  {
    what: 'privileged scenarios end as on qemu-system-riscv64',
    section: 'tests/core',
    proofs: [core('privileged-qemu', 'end on QEMU and here')],
  },
  {
    what: 'translated code keeps step with the interpreter, in random programs and in a kernel’s boot',
    section: 'tests/translator, tests/system',
    proofs: [
      ['tests/translator/lockstep.test.ts', ''],
      ['tests/system/lockstep-boot.test.ts', 'same registers and memory'],
    ],
  },
  {
    what: 'with `clock: instructions`, runs are bit-identical: twice, sliced otherwise, either engine, Node and Chromium',
    section: 'tests/determinism',
    proofs: [
      ['tests/determinism/determinism.test.ts', 'come at the same instruction on every run'],
      ['tests/system/determinism.test.ts', 'to the same registers, memory and output'],
      ['tests/chromium/determinism.test.ts', 'to the same state in Node and in Chromium'],
    ],
  },
  {
    what: 'hostile guests: no register, virtqueue or SBI call makes a device throw or reach outside RAM',
    section: 'tests/fuzz',
    proofs: [
      ['tests/fuzz/mmio.test.ts', 'nothing throws'],
      ['tests/fuzz/virtqueue.test.ts', 'keeps within RAM'],
      ['tests/fuzz/sbi.test.ts', 'any SBI call is answered'],
    ],
  },
  {
    what: 'guests that never let go can be paused and reset within 50 ms, and the page stays quick',
    section: 'tests/system, tests/chromium',
    proofs: [
      ['tests/system/storms.test.ts', 'pausing and resetting it'],
      ['tests/chromium/storms.test.ts', 'leaves the page and its buttons quick'],
    ],
  },
  {
    what: 'OpenSBI, U-Boot and Debian’s kernels of two suites boot unmodified; its programs give the known answers',
    section: '`npm run test:long`',
    proofs: [
      ['tests/long/firmware.test.ts', 'boots the kernel of trixie'],
      ['tests/long/workloads.test.ts', 'passes the tests of its own library'],
    ],
  },
  {
    what: 'the device tree says what QEMU’s says, in the nodes both have',
    section: 'tests/machine',
    proofs: [['tests/machine/device-tree.test.ts', 'says the same as QEMU']],
  },
];

/** Instructions that QEMU 7.2 cannot be asked about, and what holds them instead. */
export const WITHOUT_QEMU: Readonly<Record<string, readonly Proof[]>> = {
  Zicond: [core('instructions-results', 'czero.eqz gives zero')],
  Zawrs: [core('instructions-each', 'retires, and changes no register')],
  Zicboz: [core('privileged-instructions', 'cbo.zero clears the 64 bytes')],
  Zicbom: [core('pmp', 'of a cache block needs all of it')],
  Svinval: [core('tlb', 'shows loads the new one')],
  S: [core('privileged-qemu', 'end on QEMU and here')],
  'M-mode': [core('privileged-qemu', 'end on QEMU and here')],
  I: [core('traps', 'of ebreak holds its address')],
};
