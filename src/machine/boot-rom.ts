// The boot ROM: the reset vector QEMU's `virt` has, and what OpenSBI's fw_dynamic wants to know.
// The core fetches code from RAM only, so the board does what this code says itself (boot.ts); the words are here
// for firmware that reads them.
import { BOOT_ROM } from './memory-map.ts';

/** OpenSBI, include/sbi/fw_dynamic.h: struct fw_dynamic_info, version 2. */
const FW_DYNAMIC_MAGIC = 0x4942534fn;
const FW_DYNAMIC_VERSION = 2n;
const FW_DYNAMIC_NEXT_MODE_S = 1n;

const START_ADDRESS = 0x18;
const DEVICE_TREE = 0x20;
const FW_DYNAMIC = 0x28;
/** Physical address of the fw_dynamic information, for a2. */
export const FW_DYNAMIC_INFO = BOOT_ROM.base + FW_DYNAMIC;

const RESET_CODE = [
  0x00000297, // auipc t0, 0
  0x02828613, // addi a2, t0, FW_DYNAMIC
  0xf1402573, // csrr a0, mhartid
  0x0202b583, // ld a1, DEVICE_TREE(t0)
  0x0182b283, // ld t0, START_ADDRESS(t0)
  0x00028067, // jr t0
];

export interface BootRomInfo {
  /** Where the reset code jumps to. */
  start: number;
  deviceTree: number;
  /** Entry point of the firmware's payload; 0 for none. */
  next: number;
}

/** The ROM's contents from its first byte on. */
export function buildBootRom(info: BootRomInfo): Uint8Array {
  const rom = new DataView(new ArrayBuffer(FW_DYNAMIC + 6 * 8));
  RESET_CODE.forEach((word, index) => {
    rom.setUint32(index * 4, word, true);
  });
  rom.setBigUint64(START_ADDRESS, BigInt(info.start), true);
  rom.setBigUint64(DEVICE_TREE, BigInt(info.deviceTree), true);
  const dynamic = [
    FW_DYNAMIC_MAGIC,
    FW_DYNAMIC_VERSION,
    BigInt(info.next),
    FW_DYNAMIC_NEXT_MODE_S,
    0n, // options
    0n, // boot hart
  ];
  dynamic.forEach((value, index) => {
    rom.setBigUint64(FW_DYNAMIC + index * 8, value, true);
  });
  return new Uint8Array(rom.buffer);
}
