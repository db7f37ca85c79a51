// Registers, features and requests of the block device. Virtio 1.2, section 5.2; sections below are its.
import type { BlockBackend } from '../../storage/block-backend.ts';
import { featureBit } from '../virtio-device.ts';

export const SECTOR_BYTES = 512;

// Section 5.2.3.
export const VIRTIO_BLK_F_SIZE_MAX = 1;
export const VIRTIO_BLK_F_SEG_MAX = 2;
export const VIRTIO_BLK_F_RO = 5;
export const VIRTIO_BLK_F_BLK_SIZE = 6;
export const VIRTIO_BLK_F_FLUSH = 9;
export const VIRTIO_BLK_F_TOPOLOGY = 10;
export const VIRTIO_BLK_F_DISCARD = 13;
export const VIRTIO_BLK_F_WRITE_ZEROES = 14;

// Section 5.2.6: kinds of request, and how one ended.
export const VIRTIO_BLK_T_IN = 0;
export const VIRTIO_BLK_T_OUT = 1;
export const VIRTIO_BLK_T_FLUSH = 4;
export const VIRTIO_BLK_T_GET_ID = 8;
export const VIRTIO_BLK_T_DISCARD = 11;
export const VIRTIO_BLK_T_WRITE_ZEROES = 13;
export const VIRTIO_BLK_S_OK = 0;
export const VIRTIO_BLK_S_IOERR = 1;
export const VIRTIO_BLK_S_UNSUPP = 2;
/** type, reserved, sector. */
export const REQUEST_HEADER_BYTES = 16;
/** Bytes of a serial number; a shorter one is followed by zeroes. */
export const SERIAL_BYTES = 20;
/** struct virtio_blk_discard_write_zeroes: sector, sectors, flags. */
export const RANGE_BYTES = 16;
export const RANGE_FLAG_UNMAP = 1;

export const QUEUE_SIZE = 256;
/** Segments of a request's data: what is left in a queue's worth of descriptors beside header and status. */
export const SEGMENTS_MAX = QUEUE_SIZE - 2;
export const SEGMENT_BYTES_MAX = 1 << 16;
export const REQUEST_BYTES_MAX = SEGMENTS_MAX * SEGMENT_BYTES_MAX;
/** Ranges of this many sectors (1 GiB) are dropped at once; a driver asks for more piece by piece. */
export const DISCARD_SECTORS_MAX = 2 ** 21;
export const DISCARD_RANGES_MAX = 64;
/** 8 MiB are zeroed at once: a back end may have to write them, and the machine waits for those that write at once. */
export const WRITE_ZEROES_SECTORS_MAX = 2 ** 14;
export const WRITE_ZEROES_RANGES_MAX = 1;
/** Drives prefer whole pages: a physical block of 2^3 sectors. */
const PHYSICAL_BLOCK_EXPONENT = 3;
const OPTIMAL_IO_BYTES = 1 << 16;

/** Feature bits of a drive. */
export function blockFeatures(readonly: boolean): bigint {
  const bits = [
    VIRTIO_BLK_F_SIZE_MAX,
    VIRTIO_BLK_F_SEG_MAX,
    VIRTIO_BLK_F_BLK_SIZE,
    VIRTIO_BLK_F_FLUSH,
    VIRTIO_BLK_F_TOPOLOGY,
    ...(readonly ? [VIRTIO_BLK_F_RO] : [VIRTIO_BLK_F_DISCARD, VIRTIO_BLK_F_WRITE_ZEROES]),
  ];
  return bits.reduce((features, bit) => features | featureBit(bit), 0n);
}

/** struct virtio_blk_config (section 5.2.4), up to the limits of write zeroes. */
export function blockConfig(backend: BlockBackend): Uint8Array {
  const config = new Uint8Array(60);
  const view = new DataView(config.buffer);
  view.setBigUint64(0, BigInt(Math.floor(backend.bytes / SECTOR_BYTES)), true);
  view.setUint32(8, SEGMENT_BYTES_MAX, true);
  view.setUint32(12, SEGMENTS_MAX, true);
  view.setUint32(20, SECTOR_BYTES, true);
  view.setUint8(24, PHYSICAL_BLOCK_EXPONENT);
  view.setUint16(26, 1 << PHYSICAL_BLOCK_EXPONENT, true);
  view.setUint32(28, OPTIMAL_IO_BYTES / SECTOR_BYTES, true);
  view.setUint16(34, 1, true); // num_queues
  view.setUint32(36, DISCARD_SECTORS_MAX, true);
  view.setUint32(40, DISCARD_RANGES_MAX, true);
  view.setUint32(44, 1 << PHYSICAL_BLOCK_EXPONENT, true);
  view.setUint32(48, WRITE_ZEROES_SECTORS_MAX, true);
  view.setUint32(52, WRITE_ZEROES_RANGES_MAX, true);
  view.setUint8(56, 1); // write_zeroes_may_unmap
  return config;
}
