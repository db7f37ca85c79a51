// The layout of the core's linear memory and of one hart's state: the one place where these offsets are
// written. Read by AssemblyScript (the core) and by TypeScript (src/core), so it holds integer constants
// without type annotations and nothing else.

// ---- linear memory ---------------------------------------------------------------------------------------
// 0x0000_1000  static data of the core (asconfig.json: memoryBase)
// HART_BASE    hart state, HART_STRIDE bytes a hart
// TLB_BASE     software TLBs, TLB_STRIDE bytes a hart
// PAGE_FLAGS   one byte for each 4 KiB page of RAM
// PAGE_DIRTY   one bit for each page of RAM: written since the host last asked
// PAGE_SLOT    one u16 for each page of RAM: the decoded-page slot + 1, or 0
// SLOT_BASE    decoded pages, SLOT_BYTES each
// RAM_BASE     guest physical address 0x8000_0000

export const HART_BASE = 0x50000;
export const HART_STRIDE = 0x2000;

// A hart's TLBs: for each of four modes (TLB_MODE_*) a read, a write and a fetch table of 16-byte entries:
// {tag: u64, addend or slot: u32, not zero where the mapping is global: u32}. Direct-mapped by the low bits of the virtual page number.
export const TLB_BASE = 0x60000;
export const TLB_STRIDE = 0x190000;
export const TLB_ENTRIES = 8192;
export const TLB_BYTES = 0x20000; // TLB_ENTRIES * 16
export const TLB_ENTRY_PAYLOAD = 8;
export const TLB_ENTRY_GLOBAL = 12;
/** (va >> 8) & TLB_INDEX is the byte offset of a page's entry. */
export const TLB_INDEX = 0x1fff0;
/** A mode's tables lie TLB_MODE_STRIDE apart: read, then write, then fetch. */
export const TLB_MODE_STRIDE = 0x60000;
export const TLB_WRITE = 0x20000;
export const TLB_FETCH = 0x40000;
export const TLB_MODE_U = 0;
export const TLB_MODE_S = 1;
/** S-mode with mstatus.SUM set. */
export const TLB_MODE_S_SUM = 2;
export const TLB_MODE_M = 3;
/** Which entries a mode has filled since its last flush, so that a flush costs what was used: u32 addresses. */
export const TLB_LOG = 0x180000; // from TLB_BASE; one log of TLB_LOG_BYTES a mode
export const TLB_LOG_BYTES = 0x4000;
export const TLB_LOG_ENTRIES = 4095;

export const PAGE_FLAGS = 0x200000;
/** A bit for each page of RAM, the lowest first: see mmu/dirty.ts. 3 GiB of RAM need PAGE_BITS_BYTES. */
export const PAGE_DIRTY = 0x2c0000;
/** The same form, for what nonZeroPages() finds. */
export const PAGE_FOUND = 0x2d8000;
export const PAGE_BITS_BYTES = 0x18000;
export const PAGE_SLOT = 0x300000;

/** u32 for each slot: the RAM page it holds, or 0xffff_ffff. Then u32 for each slot: slow stores into it. */
export const SLOT_PAGE = 0x4f0000;
export const SLOT_WRITES = 0x4f4000;

/** A slot for one instruction at a time: what straddles a page, or lies in a page that PMP cuts. */
export const SINGLE_SLOT = 0x4ff000;

export const SLOT_BASE = 0x500000;
/** 2,048 halfword entries of 16 bytes, then the end-of-page entry (twice: a 4-byte instruction may end there). */
export const SLOT_BYTES = 0x8040;
export const SLOT_COUNT = 2048;

// Translated code: see translator/regions.ts.
/** An entry whose operation is REGION_MARK + r is the head of region r. */
export const REGION_MARK = 0x8000;
export const REGION_COUNT = 4080;
/** The oldest regions are dropped when all together have more bytes of Wasm than this. */
export const CODE_BYTES_MOST = 0x4000000;
/** Place of region 0 in the table of functions; the ones before it are the core's own. */
export const REGION_TABLE_FIRST = 16;
/** Tables of indirect jumps: for each halfword of a page, the number of its target in the region, or 0. */
export const JUMP_TABLES = 0x45a0000;
export const JUMP_TABLE_BYTES = 0x800;
export const JUMP_TABLE_COUNT = 128;
/** Where modules are written before the host compiles them. */
export const MODULE_BUFFER = 0x4600000;
export const MODULE_BYTES = 0xf0000;
/** Behind it: hints for the module under way (translator/branch-hints.ts). */
export const HINTS = 0x46f0000;
export const HINT_BYTES = 0x10000;

export const RAM_BASE = 0x4700000;

/** Largest guest RAM, in bytes: what is left of a 4 GiB linear memory, in whole 16 MiB. */
export const RAM_MAX = 0xc0000000;

// ---- PAGE_FLAGS bits -------------------------------------------------------------------------------------
/** The page has decoded (later: translated) code: stores to it take the slow path. */
export const PAGE_CODE = 1;
/** The host wants to see stores to this page (HTIF's tohost): they take the slow path. */
export const PAGE_WATCHED = 2;

// ---- hart state: byte offsets from the hart's base ---------------------------------------------------------
export const X = 0;
/** Where writes to x0 go. Never read. */
export const X_SINK = 256;
export const PC = 264;
/** Instructions retired since reset (mcycle and minstret are kept as offsets from it). */
export const INSTRET = 272;
export const F = 512;

export const PRIVILEGE = 768; // u32: 0 U, 1 S, 3 M
export const WAITING = 772; // u32: 1 while in WFI
export const FFLAGS = 776; // u32
export const FRM = 780; // u32
/** Non-zero: leave the inner loop before the next instruction (interrupt state, mode or code changed). */
export const ATTENTION = 784; // u32
export const MMIO_HIGH = 788; // u32: high half of a 64-bit MMIO read
/** Lines driven from outside, in mip's bit positions. */
export const IRQ_LINES = 792; // u64
export const HART_ID = 800; // u64
/** u32: 1 = an ecall from S-mode leaves the core (the machine answers SBI). */
export const SBI_MODE = 808;
/** u32: 0 = time comes from the host, N = time advances one tick every N instructions. */
export const TIME_DIVISOR = 812;
export const STOP_CAUSE = 816; // u64: cause of the exception that stopped the hart
export const STOP_VALUE = 824; // u64: its tval
/** u64: physical address whose stores are reported (HTIF tohost), 0 for none. */
export const WATCH_ADDRESS = 832;
export const SCRATCH = 840; // 16 bytes: operand of a slow load
export const RESERVATION = 856; // u64: physical address of the reservation, all ones for none
export const RESERVATION_VALUE = 864; // u64

export const MSTATUS = 896;
export const MEDELEG = 904;
export const MIDELEG = 912;
export const MIE = 920;
/** mip bits that software wrote (SSIP, STIP, SEIP). */
export const MIP = 928;
export const MTVEC = 936;
export const MSCRATCH = 944;
export const MEPC = 952;
export const MCAUSE = 960;
export const MTVAL = 968;
export const MCOUNTEREN = 976;
export const MCOUNTINHIBIT = 984;
export const MENVCFG = 992;
export const MSECCFG = 1000;
export const STVEC = 1008;
export const SSCRATCH = 1016;
export const SEPC = 1024;
export const SCAUSE = 1032;
export const STVAL = 1040;
export const SCOUNTEREN = 1048;
export const SENVCFG = 1056;
export const SATP = 1064;
export const STIMECMP = 1072;
export const MTIMECMP = 1080;
export const MCYCLE_OFFSET = 1088; // mcycle = INSTRET + offset (while not inhibited)
export const MINSTRET_OFFSET = 1096;
export const TIME = 1104; // last time read, in ticks
export const TIME_OFFSET = 1112; // deterministic clock: ticks at instret 0
export const PMPCFG = 1120; // 16 bytes
export const PMPADDR = 1136; // 16 x u64
/** u32: bytes of guest RAM. */
export const RAM_BYTES = 1268;
/** u32: the read table (the write table behind it) and the fetch table of the mode the hart is in. */
export const READ_TABLE = 1272;
export const FETCH_TABLE = 1276;
/** u32: executions after which an instruction that is jumped to is translated; 0: nothing is. */
export const HOT_THRESHOLD = 1280;
/** u32: what the host's Wasm can do, FEATURE_* bits. */
export const FEATURES = 1284;
export const FEATURE_TAIL_CALLS = 1;
/** f64x2.relaxed_madd rounds once. */
export const FEATURE_FUSED = 2;
/** Few modules should import a table, or none. */
export const FEATURE_FEW_IMPORTS = 4;
export const FEATURE_NO_IMPORTS = 8;
/** u32: how a region was left: 0 in front of an instruction it could not execute, and 1 + BY_* of
 * translator/regions.ts by a jump. */
export const LEFT_BY_JUMP = 1288;
/** The same: at its entry, because a register did not hold a word (translator/words.ts). */
export const LEFT_REFUSED = 4;
/** The same: in front of the first of a group of loads and stores (translator/groups.ts), which lie so close. */
export const LEFT_GROUP = 5;
/** The same: at its entry, because loads and stores go by another table than the one it was made for. */
export const LEFT_OTHER_TABLE = 6;
export const GROUP_SPAN = 256;
/** u64: what the TLB held where a region was left at a miss; nobody reads it (see translator/emit-memory.ts). */
export const LEFT_TAG = 1296;

// ---- counters (u64 each), for --stats ----------------------------------------------------------------------
export const COUNT_TLB_MISS = 1536;
export const COUNT_PAGE_WALK = 1544;
export const COUNT_TRAP = 1552;
export const COUNT_INTERRUPT = 1560;
export const COUNT_MMIO = 1568;
export const COUNT_DECODE = 1576;
export const COUNT_SLOT_EVICT = 1584;
export const COUNT_FENCE_I = 1592;
export const COUNT_SFENCE = 1600;
export const COUNT_CODE_WRITE = 1608;
/** Regions translated, the instructions in them, the bytes of their modules, modules, regions dropped. */
export const COUNT_REGION = 1616;
export const COUNT_REGION_INSTRUCTION = 1624;
export const COUNT_MODULE_BYTE = 1632;
export const COUNT_MODULE = 1640;
export const COUNT_REGION_DROP = 1648;
/** Times the interpreter entered a region. */
export const COUNT_REGION_ENTER = 1656;
/** Instructions retired in regions. */
export const COUNT_TRANSLATED = 1664;
/** Bytes of the regions that there are now. */
export const CODE_BYTES = 1672;

// ---- why run() returned --------------------------------------------------------------------------------------
export const EXIT_BUDGET = 0;
export const EXIT_WFI = 1;
export const EXIT_SBI = 2;
/** A trap whose handler cannot be fetched: the hart can never make progress again. */
export const EXIT_DOUBLE_FAULT = 3;
/** A store to WATCH_ADDRESS has been done. */
export const EXIT_WATCH = 4;
/** The host asked for it (requestExit). */
export const EXIT_REQUESTED = 5;
/** Within the core only: a timer was set, so run() works out anew how far it may go, and goes on. */
export const EXIT_TIMER = 6;

// ---- mip / mie bits --------------------------------------------------------------------------------------------
export const IRQ_SSI = 1;
export const IRQ_MSI = 3;
export const IRQ_STI = 5;
export const IRQ_MTI = 7;
export const IRQ_SEI = 9;
export const IRQ_MEI = 11;

// ---- host calls ----------------------------------------------------------------------------------------------------
/** () -> the time in ticks. */
export const HOST_TIME = 0;
