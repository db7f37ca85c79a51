// The regions there are: which page each belongs to, what is hot and waits to be translated, and what must go when
// code changes. A region is entered through its head's decoded entry, whose operation is replaced; so a region dies
// with the entry, and finding a translated target costs what finding a decoded one costs.
import { imm as displacement, rs1 as baseOf } from '../interpreter/entry';
import { count, get64, set64 } from '../hart/state';
import { install } from '../host';
import { slotAddress, slotHoldsPage, slotIndex, slotPageHost } from '../interpreter/pages';
import {
  CODE_BYTES,
  CODE_BYTES_MOST,
  COUNT_MODULE,
  COUNT_MODULE_BYTE,
  COUNT_REGION,
  COUNT_REGION_DROP,
  COUNT_REGION_INSTRUCTION,
  FEATURES,
  FEATURE_FEW_IMPORTS,
  FEATURE_NO_IMPORTS,
  GROUP_SPAN,
  HART_BASE,
  HOT_THRESHOLD,
  JUMP_TABLES,
  JUMP_TABLE_BYTES,
  JUMP_TABLE_COUNT,
  LEFT_OTHER_TABLE,
  MODULE_BUFFER,
  READ_TABLE,
  REGION_COUNT,
  REGION_MARK,
  REGION_TABLE_FIRST,
  SLOT_BASE,
  SLOT_COUNT,
} from '../layout';
import { PAGE_MASK, entryOf } from '../mmu/tlb';
import { forgetHints, writeHints } from './branch-hints';
import { emitRegion } from './emit';
import { useTable } from './emit-calls';
import { inPage } from './emit-exits';
import { IMPORTED_FUNCTIONS, TYPE_REGION, writeImports, writeTypes } from './imports';
import {
  addFunction,
  addTarget,
  blockStart,
  blockStop,
  blocks,
  discover,
  forgetTargets,
  targetBlock,
  targets,
} from './region';
import { HOLE_BYTES, byte, decimal, fill, hasRoom, hole, i32c, rewind, u } from './wasm-writer';
import * as writer from './wasm-writer';

const NONE: u32 = 0xffff;

/** How a head was reached: directly or by a return, by a computed jump, by a call through a register. */
export const BY_JUMP: u32 = 0;
export const BY_COMPUTED_JUMP: u32 = 1;
export const BY_CALL: u32 = 2;

// By region: its slot (or NONE), the head's offset in the page, the operation its entry had, the bytes it was made
// from, whether computed jumps led to it when it became hot, and the next region of the same slot.
const regionSlot = new StaticArray<u16>(REGION_COUNT);
const regionHead = new StaticArray<u16>(REGION_COUNT);
const regionOperation = new StaticArray<u16>(REGION_COUNT);
const regionLow = new StaticArray<u16>(REGION_COUNT);
const regionHigh = new StaticArray<u16>(REGION_COUNT);
const regionComputed = new StaticArray<u8>(REGION_COUNT);
const regionBytes = new StaticArray<u32>(REGION_COUNT);
const regionNext = new StaticArray<u16>(REGION_COUNT);
const slotFirst = new StaticArray<u16>(SLOT_COUNT);
let nextRegion: u32 = 0;

/** What an entry counts in itself, in the line of cache that a jump needs anyhow; more is counted by the table. */
const FEW: u32 = 128;
const COUNTERS = 16384;
const counters = new StaticArray<u16>(COUNTERS);

/** Room for a module's sections in front of its code. */
const HEAD_BYTES = 0x16000;

const QUEUE = 64;
const BATCH = 32;
/** A module is made when this many heads wait, or one has waited this many chunks: making one costs the host 0.2 to 1 ms. */
const FULL = 16;
/**
 * Where a module that imports a table is kept for as long as the table (V8 before 13), so many do it between two resets;
 * the others call regions through a function of the host's, which takes 2 to 3 ns longer.
 */
const MODULES_WITH_TABLE: u64 = 200;
const PATIENCE = 12;
/** The same once there are MODULES_MANY: what becomes hot then is the long tail of a system's code. */
const LONG_PATIENCE = 100;
const MODULES_MANY: u64 = 60;
const queue = new StaticArray<u32>(QUEUE);
const queueComputed = new StaticArray<u8>(QUEUE);
/** The read table in use when a head became hot. */
const queueTable = new StaticArray<u32>(QUEUE);
let queued: i32 = 0;
let waited: i32 = 0;

// Heads whose entry shows the instruction itself for a while: see expose().
const EXPOSED = 4096;
const exposed = new StaticArray<u16>(EXPOSED);
let exposedCount: i32 = 0;

/** After a reset: no region, nothing hot. */
export function resetRegions(): void {
  memory.fill(changetype<usize>(regionSlot), 0xff, REGION_COUNT * 2);
  memory.fill(changetype<usize>(slotFirst), 0xff, SLOT_COUNT * 2);
  memory.fill(changetype<usize>(counters), 0, COUNTERS * 2);
  memory.fill(changetype<usize>(distrusted), 0, DISTRUSTED / 8);
  memory.fill(changetype<usize>(inModes), 0, DISTRUSTED / 8);
  memory.fill(changetype<usize>(tableOwner), 0xff, JUMP_TABLE_COUNT * 2);
  nextTable = 0;
  nextRegion = 0;
  queued = 0;
  exposedCount = 0;
}

// @ts-ignore: decorator
@inline
export function hotThreshold(): u32 {
  return load<u32>(HART_BASE + HOT_THRESHOLD);
}

/** Counts an execution of the jump target whose entry lies at `ip`; `how` it was reached: BY_*. */
// @ts-ignore: decorator
@inline
export function noteTarget(ip: usize, threshold: u32, how: u32): void {
  const hits = <u32>load<u8>(ip, 13) + 1;
  store<u8>(ip, <u8>hits, 13);
  if (hits >= FEW || hits >= threshold) noteMore(ip, hits, threshold, how);
}

/** The entry's own counter is full, or high enough. */
function noteMore(ip: usize, hits: u32, threshold: u32, how: u32): void {
  store<u8>(ip, 0, 13);
  if (hits < threshold) {
    const counter = changetype<usize>(counters) + ((ip >> 3) & ((COUNTERS - 1) << 1));
    hits += load<u16>(counter);
    if (hits < threshold) {
      store<u16>(counter, <u16>hits);
      return;
    }
    store<u16>(counter, 0);
  }
  enqueue(ip, how);
}

function enqueue(ip: usize, how: u32): void {
  if (queued >= QUEUE || <u32>ip < <u32>SLOT_BASE || <u32>load<u16>(ip) >= <u32>REGION_MARK) return;
  for (let i = 0; i < queued; i++) if (unchecked(queue[i]) == <u32>ip) return;
  unchecked((queueComputed[queued] = <u8>how));
  unchecked((queueTable[queued] = load<u32>(HART_BASE + READ_TABLE)));
  unchecked((queue[queued++] = <u32>ip));
}

// @ts-ignore: decorator
@inline
function entryAddress(region: u32): usize {
  return slotAddress(unchecked(regionSlot[region])) + (<usize>unchecked(regionHead[region]) << 3);
}

/** The operation that a region's head has as an instruction. */
export function originalOperation(region: u32): u32 {
  return unchecked(regionOperation[region]);
}

/** Shows the head's own instruction to the interpreter, until hideAll(). */
export function expose(ip: usize): void {
  const region = <u32>load<u16>(ip) - REGION_MARK;
  store<u16>(ip, <u16>originalOperation(region));
  if (exposedCount < EXPOSED) unchecked((exposed[exposedCount++] = <u16>region));
}

/** Puts the regions back that expose() hid, unless they have been dropped since. */
export function hideAll(): void {
  for (let i = 0; i < exposedCount; i++) {
    const region = unchecked(exposed[i]);
    if (unchecked(regionSlot[region]) == NONE) continue;
    const entry = entryAddress(region);
    if (load<u16>(entry) == unchecked(regionOperation[region])) store<u16>(entry, <u16>(REGION_MARK + region));
  }
  exposedCount = 0;
}

/** Refusals after which a region is made anew, trusting no register. */
const REFUSALS: u8 = 8;
const refusals = new StaticArray<u8>(REGION_COUNT);
/** Heads whose regions trust no register: a bit each, by the address of their entry. */
const DISTRUSTED = 16384;
const distrusted = new StaticArray<u8>(DISTRUSTED / 8);

/** The same: those that ran in several modes, and look for their table. */
const inModes = new StaticArray<u8>(DISTRUSTED / 8);

function isMarked(marks: StaticArray<u8>, ip: usize): bool {
  const index = <u32>(ip >> 4) & (DISTRUSTED - 1);
  return ((unchecked(marks[index >> 3]) >> <u8>(index & 7)) & 1) != 0;
}
function mark(marks: StaticArray<u8>, ip: usize): void {
  const index = <u32>(ip >> 4) & (DISTRUSTED - 1);
  unchecked((marks[index >> 3] |= <u8>((<u32>1) << (index & 7))));
}

/** The region at `ip` was left at its entry: LEFT_REFUSED or LEFT_OTHER_TABLE says why. */
export function noteRefusal(ip: usize, why: u32): void {
  const region = <u32>load<u16>(ip) - REGION_MARK;
  if (unchecked(++refusals[region]) < REFUSALS) {
    expose(ip);
    return;
  }
  if (why == LEFT_OTHER_TABLE) {
    mark(inModes, ip);
    unlink(region);
    drop(region);
  } else distrust(region);
  enqueue(ip, unchecked(regionComputed[region]));
}

/** Drops a region; what is made of its head later trusts nothing. */
function distrust(region: u32): void {
  mark(distrusted, entryAddress(region));
  unlink(region);
  drop(region);
}

/** How often a group of loads and stores may lie across two pages before its regions are made without groups. */
const APART: u8 = 32;
const APART_COUNTERS = 1024;
const apart = new StaticArray<u8>(APART_COUNTERS);

/** A region was left in front of the group that begins at `ip`: was it a page that the TLB does not know, or two? */
export function noteApart(ip: usize): void {
  const address = baseOf(ip) + <u64>displacement(ip);
  const inPage = <i32>(address & 0xfff);
  if (inPage >= GROUP_SPAN && inPage <= 4096 - GROUP_SPAN) return;
  const entry = entryOf(load<u32>(HART_BASE + READ_TABLE), address);
  if (load<u64>(entry) != (address & PAGE_MASK)) return;
  const counter = (ip >> 4) & (APART_COUNTERS - 1);
  if (unchecked(++apart[counter]) < APART) return;
  unchecked((apart[counter] = 0));
  const slot = slotIndex(<u32>ip);
  const offset = <u32>((ip - slotAddress(slot)) >> 3);
  let region = <u32>unchecked(slotFirst[slot]);
  while (region != NONE) {
    const next = <u32>unchecked(regionNext[region]);
    if (unchecked(regionLow[region]) <= offset && offset < unchecked(regionHigh[region])) distrust(region);
    region = next;
  }
}

function drop(region: u32): void {
  const entry = entryAddress(region);
  if (load<u16>(entry) == <u16>(REGION_MARK + region)) store<u16>(entry, unchecked(regionOperation[region]));
  unchecked((regionSlot[region] = <u16>NONE));
  set64(CODE_BYTES, get64(CODE_BYTES) - unchecked(regionBytes[region]));
  count(COUNT_REGION_DROP);
}

function unlink(region: u32): void {
  const slot = unchecked(regionSlot[region]);
  let at = unchecked(slotFirst[slot]);
  if (at == region) {
    unchecked((slotFirst[slot] = unchecked(regionNext[region])));
    return;
  }
  while (at != NONE) {
    const next = unchecked(regionNext[at]);
    if (next == region) {
      unchecked((regionNext[at] = unchecked(regionNext[region])));
      return;
    }
    at = next;
  }
}

/** Drops the regions made from bytes [low, high) of a slot's page. */
export function dropRegions(slot: u32, low: u32, high: u32): void {
  let region = <u32>unchecked(slotFirst[slot]);
  while (region != NONE) {
    const next = <u32>unchecked(regionNext[region]);
    if (unchecked(regionLow[region]) < high && low < unchecked(regionHigh[region])) {
      unlink(region);
      drop(region);
    }
    region = next;
  }
}

/** Drops the oldest regions until the others fit into the code cache. */
function shrink(): void {
  let region = nextRegion;
  while (get64(CODE_BYTES) > <u64>CODE_BYTES_MOST) {
    if (unchecked(regionSlot[region]) != NONE) {
      unlink(region);
      drop(region);
    }
    region = region + 1 == REGION_COUNT ? 0 : region + 1;
  }
}

function register(ip: usize, slot: u32, head: u32, computed: u8): u32 {
  const region = nextRegion;
  nextRegion = region + 1 == REGION_COUNT ? 0 : region + 1;
  if (unchecked(regionSlot[region]) != NONE) {
    unlink(region);
    drop(region);
  }
  let low = 4096;
  let high = 0;
  for (let b = 0; b < blocks; b++) {
    low = min(low, unchecked(blockStart[b]));
    high = max(high, unchecked(blockStop[b]) + 4);
  }
  unchecked((regionSlot[region] = <u16>slot));
  unchecked((regionHead[region] = <u16>head));
  unchecked((regionComputed[region] = computed));
  unchecked((regionBytes[region] = 0));
  unchecked((refusals[region] = 0));
  unchecked((regionOperation[region] = load<u16>(ip)));
  unchecked((regionLow[region] = <u16>low));
  unchecked((regionHigh[region] = <u16>min(high, 4096)));
  unchecked((regionNext[region] = unchecked(slotFirst[slot])));
  unchecked((slotFirst[slot] = <u16>region));
  return region;
}

const tableOwner = new StaticArray<u16>(JUMP_TABLE_COUNT);
let nextTable: u32 = 0;

/** Gives the region a jump table; the region that had it last is dropped. */
function fillJumpTable(region: u32): u32 {
  const owner = <u32>unchecked(tableOwner[nextTable]);
  if (owner != NONE && owner != region && unchecked(regionSlot[owner]) != NONE) {
    unlink(owner);
    drop(owner);
  }
  unchecked((tableOwner[nextTable] = <u16>region));
  const table: u32 = JUMP_TABLES + nextTable * JUMP_TABLE_BYTES;
  nextTable = nextTable + 1 == JUMP_TABLE_COUNT ? 0 : nextTable + 1;
  memory.fill(table, 0, JUMP_TABLE_BYTES);
  for (let t = 0; t < targets; t++) {
    store<u8>(table + (unchecked(blockStart[unchecked(targetBlock[t])]) >> 1), <u8>(t + 1));
  }
  return table;
}

/** Tells discovery of a head to which jumps or calls through a register led. */
function noteHead(offset: i32, how: u8): void {
  if (how == BY_COMPUTED_JUMP) addTarget(offset);
  else if (how == BY_CALL) addFunction(offset);
}

/** Tells discovery where indirect jumps of a slot's page are known to lead. */
function collectTargets(slot: u32): void {
  forgetTargets();
  for (let i = 0; i < queued; i++) {
    const entry = unchecked(queue[i]);
    if (slotIndex(entry) == slot) noteHead(<i32>((entry - slotAddress(slot)) >> 3), unchecked(queueComputed[i]));
  }
  for (let region = <u32>unchecked(slotFirst[slot]); region != NONE; ) {
    noteHead(unchecked(regionHead[region]), unchecked(regionComputed[region]));
    region = <u32>unchecked(regionNext[region]);
  }
}

const batchRegion = new StaticArray<u32>(BATCH);
const batchFunction = new StaticArray<i32>(BATCH);
const batchEntry = new StaticArray<u32>(BATCH);

/** Translates what is hot: one module for the whole queue, at most BATCH regions. */
export function translatePending(): void {
  if (!queued) return;
  const features = load<u32>(HART_BASE + FEATURES);
  let table = !(features & FEATURE_NO_IMPORTS);
  if (features & FEATURE_FEW_IMPORTS && get64(COUNT_MODULE) >= MODULES_WITH_TABLE) table = false;
  useTable(table);
  // Threshold 1 is for tests: everything is translated as soon as it is jumped to.
  if (queued < FULL && ++waited < (get64(COUNT_MODULE) < MODULES_MANY ? PATIENCE : LONG_PATIENCE) && hotThreshold() > 1) return;
  waited = 0;
  rewind(MODULE_BUFFER);
  // Header and sections up to the code: sizes are filled in as they become known.
  byte(0x00);
  byte(0x61);
  byte(0x73);
  byte(0x6d);
  byte(1);
  byte(0);
  byte(0);
  byte(0);
  section(1);
  writeTypes();
  closeSection();
  section(2);
  writeImports(table);
  closeSection();
  // The bodies are written far behind, then moved up to the sections that must know their number.
  const codeAt = MODULE_BUFFER + HEAD_BYTES;
  const headAt = writer.at;
  rewind(codeAt);
  let made = 0;
  let functions = 0;
  forgetHints();
  while (queued > 0 && made < BATCH && hasRoom(0x30000)) {
    const ip = <usize>unchecked(queue[--queued]);
    const computed = unchecked(queueComputed[queued]);
    const readTable = isMarked(inModes, ip) ? 0 : unchecked(queueTable[queued]);
    const slot = slotIndex(<u32>ip);
    const operation = <u32>load<u16>(ip);
    if (!slotHoldsPage(slot) || operation >= <u32>REGION_MARK || operation == 0) continue;
    const head = <i32>((ip - slotAddress(slot)) >> 3);
    collectTargets(slot);
    noteHead(head, computed);
    const instructions = discover(slotPageHost(slot), head, slotAddress(slot));
    if (!instructions) continue;
    const region = register(ip, slot, head, computed);
    const begin = writer.at;
    unchecked((batchFunction[made] = functions));
    functions += emitRegion(functions, targets ? fillJumpTable(region) : 0, !isMarked(distrusted, ip), readTable);
    const bytes = <u32>(writer.at - begin);
    unchecked((regionBytes[region] = bytes));
    set64(CODE_BYTES, get64(CODE_BYTES) + bytes);
    unchecked((batchRegion[made] = region));
    unchecked((batchEntry[made] = <u32>ip));
    made++;
    count(COUNT_REGION);
    set64(COUNT_REGION_INSTRUCTION, get64(COUNT_REGION_INSTRUCTION) + instructions);
  }
  if (!made) return;
  shrink();
  const bodies = writer.at - codeAt;
  rewind(headAt);
  section(3);
  u(functions);
  for (let i = 0; i < functions; i++) u(TYPE_REGION);
  closeSection();
  if (table) writeElements(made);
  else writeExports(made);
  writeHints(IMPORTED_FUNCTIONS);
  section(10);
  u(functions);
  memory.copy(writer.at, codeAt, bodies);
  rewind(writer.at + bodies);
  closeSection();
  const length = writer.at - MODULE_BUFFER;
  install(MODULE_BUFFER, <u32>length);
  count(COUNT_MODULE);
  set64(COUNT_MODULE_BYTE, get64(COUNT_MODULE_BYTE) + length);
  for (let i = 0; i < made; i++) {
    const region = unchecked(batchRegion[i]);
    if (unchecked(regionSlot[region]) == NONE) continue;
    store<u16>(<usize>unchecked(batchEntry[i]), <u16>(REGION_MARK + region));
  }
}

/** The element section: regions into their places in the table. */
function writeElements(made: i32): void {
  section(9);
  u(made);
  for (let i = 0; i < made; i++) {
    u(0);
    i32c(REGION_TABLE_FIRST + unchecked(batchRegion[i]));
    byte(0x0b);
    u(1);
    u(IMPORTED_FUNCTIONS + unchecked(batchFunction[i]));
  }
  closeSection();
}
/** The export section: each region by its place in the table, where the host puts it. */
function writeExports(made: i32): void {
  section(7);
  u(made);
  for (let i = 0; i < made; i++) {
    decimal(REGION_TABLE_FIRST + unchecked(batchRegion[i]));
    byte(0);
    u(IMPORTED_FUNCTIONS + unchecked(batchFunction[i]));
  }
  closeSection();
}

let sectionSize: usize = 0;
function section(id: u8): void {
  byte(id);
  sectionSize = hole();
}
function closeSection(): void {
  fill(sectionSize, <u32>(writer.at - sectionSize - HOLE_BYTES));
}
