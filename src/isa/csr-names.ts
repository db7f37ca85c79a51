// Names of the control and status registers. Privileged architecture 20240411, tables 3 to 8.

const numbered = (
  base: number,
  prefix: string,
  from: number,
  to: number,
  suffix = '',
  step = 1,
): [number, string][] => {
  const list: [number, string][] = [];
  for (let index = from; index <= to; index += step) {
    list.push([base + index, `${prefix}${index}${suffix}`]);
  }
  return list;
};

const CSRS: readonly (readonly [number, string])[] = [
  // Floating point
  [0x001, 'fflags'],
  [0x002, 'frm'],
  [0x003, 'fcsr'],
  // Entropy source and vector
  [0x015, 'seed'],
  [0x008, 'vstart'],
  [0x009, 'vxsat'],
  [0x00a, 'vxrm'],
  [0x00f, 'vcsr'],
  [0xc20, 'vl'],
  [0xc21, 'vtype'],
  [0xc22, 'vlenb'],
  // Unprivileged counters
  [0xc00, 'cycle'],
  [0xc01, 'time'],
  [0xc02, 'instret'],
  ...numbered(0xc00, 'hpmcounter', 3, 31),
  // Supervisor
  [0x100, 'sstatus'],
  [0x104, 'sie'],
  [0x105, 'stvec'],
  [0x106, 'scounteren'],
  [0x10a, 'senvcfg'],
  [0x10c, 'sstateen0'],
  [0x10d, 'sstateen1'],
  [0x10e, 'sstateen2'],
  [0x10f, 'sstateen3'],
  [0x140, 'sscratch'],
  [0x141, 'sepc'],
  [0x142, 'scause'],
  [0x143, 'stval'],
  [0x144, 'sip'],
  [0x14d, 'stimecmp'],
  [0x180, 'satp'],
  [0x5a8, 'scontext'],
  [0xda0, 'scountovf'],
  // Hypervisor and virtual supervisor
  [0x200, 'vsstatus'],
  [0x204, 'vsie'],
  [0x205, 'vstvec'],
  [0x240, 'vsscratch'],
  [0x241, 'vsepc'],
  [0x242, 'vscause'],
  [0x243, 'vstval'],
  [0x244, 'vsip'],
  [0x24d, 'vstimecmp'],
  [0x280, 'vsatp'],
  [0x600, 'hstatus'],
  [0x602, 'hedeleg'],
  [0x603, 'hideleg'],
  [0x604, 'hie'],
  [0x605, 'htimedelta'],
  [0x606, 'hcounteren'],
  [0x607, 'hgeie'],
  [0x60a, 'henvcfg'],
  [0x643, 'htval'],
  [0x644, 'hip'],
  [0x645, 'hvip'],
  [0x64a, 'htinst'],
  [0x680, 'hgatp'],
  [0x6a8, 'hcontext'],
  [0xe12, 'hgeip'],
  ...numbered(0x60c, 'hstateen', 0, 3),
  // Machine
  [0xf11, 'mvendorid'],
  [0xf12, 'marchid'],
  [0xf13, 'mimpid'],
  [0xf14, 'mhartid'],
  [0xf15, 'mconfigptr'],
  [0x300, 'mstatus'],
  [0x301, 'misa'],
  [0x302, 'medeleg'],
  [0x303, 'mideleg'],
  [0x304, 'mie'],
  [0x305, 'mtvec'],
  [0x306, 'mcounteren'],
  [0x30a, 'menvcfg'],
  ...numbered(0x30c, 'mstateen', 0, 3),
  [0x320, 'mcountinhibit'],
  [0x340, 'mscratch'],
  [0x341, 'mepc'],
  [0x342, 'mcause'],
  [0x343, 'mtval'],
  [0x344, 'mip'],
  [0x34a, 'mtinst'],
  [0x34b, 'mtval2'],
  [0x747, 'mseccfg'],
  ...numbered(0x3a0, 'pmpcfg', 0, 14, '', 2),
  ...numbered(0x3b0, 'pmpaddr', 0, 63),
  [0xb00, 'mcycle'],
  [0xb02, 'minstret'],
  ...numbered(0xb00, 'mhpmcounter', 3, 31),
  ...numbered(0x320, 'mhpmevent', 3, 31),
  // Advanced interrupt architecture
  [0x150, 'siselect'],
  [0x151, 'sireg'],
  [0x15c, 'stopei'],
  [0xdb0, 'stopi'],
  [0x350, 'miselect'],
  [0x351, 'mireg'],
  [0x35c, 'mtopei'],
  [0xfb0, 'mtopi'],
  [0x250, 'vsiselect'],
  [0x251, 'vsireg'],
  [0x25c, 'vstopei'],
  [0xeb0, 'vstopi'],
  [0x308, 'mvien'],
  [0x309, 'mvip'],
  [0x608, 'hvien'],
  [0x609, 'hvictl'],
  [0x646, 'hviprio1'],
  [0x647, 'hviprio2'],
  // Debug and trigger
  [0x7a0, 'tselect'],
  [0x7a1, 'tdata1'],
  [0x7a2, 'tdata2'],
  [0x7a3, 'tdata3'],
  [0x7a4, 'tinfo'],
  [0x7a5, 'tcontrol'],
  [0x7a8, 'mcontext'],
  [0x7aa, 'mscontext'],
  [0x7b0, 'dcsr'],
  [0x7b1, 'dpc'],
  [0x7b2, 'dscratch0'],
  [0x7b3, 'dscratch1'],
];

const byNumber = new Map(CSRS);
const byName = new Map(CSRS.map(([number, name]) => [name, number]));

/** Name of a CSR, undefined where none is assigned. */
export const csrName = (number: number): string | undefined => byNumber.get(number);
/** Number of a CSR from its name. */
export const csrNumber = (name: string): number | undefined => byName.get(name);
/** Every CSR that has a name. */
export const CSR_NUMBERS: readonly number[] = [...byNumber.keys()];
