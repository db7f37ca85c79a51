// Superblock, group descriptors and the journal's superblock: Documentation/filesystems/ext4/{super,group_descr,journal}.rst.
import { BLOCK_BYTES, type Ext4Layout, FIRST_INODE, INODE_BYTES } from './ext4-layout.ts';

export interface Ext4Identity {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Up to 16 bytes of UTF-8. */
  label: Uint8Array;
  /** Seconds since 1970 at which it says it was made. */
  time: number;
}

const COMPATIBLE = { hasJournal: 0x4, extAttr: 0x8, dirIndex: 0x20 };
const INCOMPATIBLE = { filetype: 0x2, extents: 0x40, flexBg: 0x200 };
const READ_ONLY_COMPATIBLE = {
  sparseSuper: 0x1,
  largeFile: 0x2,
  hugeFile: 0x8,
  dirNlink: 0x20,
  extraIsize: 0x40,
};
const JOURNAL_INODE = 8;

const sum = (flags: Record<string, number>) => Object.values(flags).reduce((all, flag) => all | flag, 0);

/** The superblock as the group `group` has it: 1024 bytes. */
export function encodeSuperblock(
  layout: Ext4Layout,
  identity: Ext4Identity,
  free: { blocks: number; inodes: number },
  journalRoot: Uint8Array | undefined,
  journalBytes: number,
  group: number,
): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  const u16 = (offset: number, value: number) => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number) => view.setUint32(offset, value, true);
  u32(0x00, layout.inodes);
  u32(0x04, layout.blocks);
  u32(0x0c, free.blocks);
  u32(0x10, free.inodes);
  u32(0x14, 0); // first data block
  u32(0x18, Math.log2(BLOCK_BYTES) - 10);
  u32(0x1c, Math.log2(BLOCK_BYTES) - 10);
  u32(0x20, layout.groupBlocks);
  u32(0x24, layout.groupBlocks);
  u32(0x28, layout.inodesPerGroup);
  u32(0x30, identity.time);
  u16(0x36, 0xffff); // never check after so many mounts
  u16(0x38, 0xef53);
  u16(0x3a, 1); // clean
  u16(0x3c, 1); // after an error: go on
  u32(0x40, identity.time);
  u32(0x4c, 1); // revision with variable inode size
  u32(0x54, FIRST_INODE);
  u16(0x58, INODE_BYTES);
  u16(0x5a, group);
  u32(0x5c, sum(COMPATIBLE) & ~(journalRoot === undefined ? COMPATIBLE.hasJournal : 0));
  u32(0x60, sum(INCOMPATIBLE));
  u32(0x64, sum(READ_ONLY_COMPATIBLE));
  bytes.set(identity.uuid, 0x68);
  bytes.set(identity.label, 0x78);
  if (journalRoot !== undefined) {
    u32(0xe0, JOURNAL_INODE);
    // A copy of where the journal is, for e2fsck.
    bytes[0xfd] = 1;
    bytes.set(journalRoot, 0x10c);
    u32(0x148, Math.floor(journalBytes / 2 ** 32));
    u32(0x14c, journalBytes >>> 0);
  }
  bytes.set(identity.uuid, 0xec); // seed of the hashes of directories
  bytes[0xfc] = 1; // half MD4
  u16(0x15c, 32); // bytes every inode has beyond the first 128
  u16(0x15e, 32);
  u32(0x100, 0xc); // default mount options: user xattrs, ACLs
  u32(0x108, identity.time);
  u32(0x160, 0x2); // hashes of unsigned characters
  bytes[0x174] = 4; // groups that lie together: 16
  return bytes;
}

/** Descriptors of all groups. */
export function encodeDescriptors(
  layout: Ext4Layout,
  freeInodes: readonly number[],
  directories: readonly number[],
): Uint8Array {
  const bytes = new Uint8Array(layout.descriptorBlocks * BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < layout.groups; group++) {
    const offset = group * 32;
    view.setUint32(offset, layout.blockBitmaps[group]!, true);
    view.setUint32(offset + 4, layout.inodeBitmaps[group]!, true);
    view.setUint32(offset + 8, layout.inodeTables[group]!, true);
    view.setUint16(offset + 12, layout.freeInGroup(group), true);
    view.setUint16(offset + 14, freeInodes[group]!, true);
    view.setUint16(offset + 16, directories[group]!, true);
  }
  return bytes;
}

/** The first block of an empty journal (JBD2, superblock version 2). Its numbers are big-endian. */
export function encodeJournal(blocks: number, identity: Ext4Identity): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x00, 0xc03b_3998);
  view.setUint32(0x04, 4);
  view.setUint32(0x0c, BLOCK_BYTES);
  view.setUint32(0x10, blocks);
  view.setUint32(0x14, 1); // first block of records
  view.setUint32(0x18, 1); // first expected transaction
  view.setUint32(0x40, 1); // file systems that use it
  bytes.set(identity.uuid, 0x30);
  return bytes;
}

/** How many blocks a journal gets, as mke2fs chooses them; 0 for none. */
export function journalBlocks(blocks: number): number {
  if (blocks < 2048) return 0;
  if (blocks < 32768) return 1024;
  if (blocks < 262_144) return 4096;
  if (blocks < 524_288) return 8192;
  return 16384;
}
