// What a request to a drive asks for, understood and checked before anything is done.
import type { Chain } from '../chain.ts';
import {
  DISCARD_RANGES_MAX,
  DISCARD_SECTORS_MAX,
  RANGE_BYTES,
  RANGE_FLAG_UNMAP,
  REQUEST_BYTES_MAX,
  REQUEST_HEADER_BYTES,
  SECTOR_BYTES,
  VIRTIO_BLK_F_DISCARD,
  VIRTIO_BLK_F_WRITE_ZEROES,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_DISCARD,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
  VIRTIO_BLK_T_WRITE_ZEROES,
  WRITE_ZEROES_RANGES_MAX,
  WRITE_ZEROES_SECTORS_MAX,
} from './block-config.ts';

/** Bytes [offset, offset + length) of a drive. */
export interface DriveRange {
  offset: number;
  length: number;
  /** Space may be given back (write zeroes). */
  unmap: boolean;
}

export type BlockRequest =
  | { kind: 'read'; offset: number; length: number }
  | { kind: 'write'; offset: number; length: number }
  | { kind: 'flush' }
  | { kind: 'serial' }
  | { kind: 'discard'; ranges: DriveRange[] }
  | { kind: 'write-zeroes'; ranges: DriveRange[] }
  /** Cannot be done: the status says why. */
  | { kind: 'refused'; status: number };

/** What a drive takes. */
export interface DriveLimits {
  bytes: number;
  readonly: boolean;
  /** True when the driver agreed on a feature bit. */
  has(bit: number): boolean;
}

const REFUSED: BlockRequest = { kind: 'refused', status: VIRTIO_BLK_S_IOERR };
const UNSUPPORTED: BlockRequest = { kind: 'refused', status: VIRTIO_BLK_S_UNSUPP };

/** Of the request being parsed: to make one for each costs more than all the rest of parsing. */
const header = new Uint8Array(REQUEST_HEADER_BYTES);
const headerView = new DataView(header.buffer);

/** Section 5.2.6. The chain has room for header and status: the caller has checked it. */
export function parseBlockRequest(chain: Chain, limits: DriveLimits): BlockRequest {
  chain.read(0, header);
  const sector = readSector(headerView, 8);
  switch (headerView.getUint32(0, true)) {
    case VIRTIO_BLK_T_IN:
      return transfer('read', sector, chain.writableBytes - 1, limits);
    case VIRTIO_BLK_T_OUT:
      return transfer('write', sector, chain.readableBytes - REQUEST_HEADER_BYTES, limits);
    case VIRTIO_BLK_T_FLUSH:
      return { kind: 'flush' };
    case VIRTIO_BLK_T_GET_ID:
      return { kind: 'serial' };
    case VIRTIO_BLK_T_DISCARD:
      if (!limits.has(VIRTIO_BLK_F_DISCARD)) return UNSUPPORTED;
      return ranges('discard', chain, limits);
    case VIRTIO_BLK_T_WRITE_ZEROES:
      if (!limits.has(VIRTIO_BLK_F_WRITE_ZEROES)) return UNSUPPORTED;
      return ranges('write-zeroes', chain, limits);
    default:
      return UNSUPPORTED;
  }
}

function transfer(kind: 'read' | 'write', sector: number, length: number, limits: DriveLimits): BlockRequest {
  if (kind === 'write' && limits.readonly) return REFUSED;
  if (length % SECTOR_BYTES !== 0 || length > REQUEST_BYTES_MAX) return REFUSED;
  const offset = sector * SECTOR_BYTES;
  return offset + length <= limits.bytes ? { kind, offset, length } : REFUSED;
}

function ranges(kind: 'discard' | 'write-zeroes', chain: Chain, limits: DriveLimits): BlockRequest {
  const length = chain.readableBytes - REQUEST_HEADER_BYTES;
  if (limits.readonly || length === 0 || length % RANGE_BYTES !== 0) return REFUSED;
  const rangesMost = kind === 'discard' ? DISCARD_RANGES_MAX : WRITE_ZEROES_RANGES_MAX;
  if (length / RANGE_BYTES > rangesMost) return REFUSED;
  const bytes = new Uint8Array(length);
  chain.read(REQUEST_HEADER_BYTES, bytes);
  const view = new DataView(bytes.buffer);
  const most = kind === 'discard' ? DISCARD_SECTORS_MAX : WRITE_ZEROES_SECTORS_MAX;
  const flagsAllowed = kind === 'discard' ? 0 : RANGE_FLAG_UNMAP;
  const found: DriveRange[] = [];
  for (let at = 0; at < length; at += RANGE_BYTES) {
    const offset = readSector(view, at) * SECTOR_BYTES;
    const sectors = view.getUint32(at + 8, true);
    const flags = view.getUint32(at + 12, true);
    if ((flags & ~flagsAllowed) !== 0) return UNSUPPORTED;
    if (sectors > most || offset + sectors * SECTOR_BYTES > limits.bytes) return REFUSED;
    found.push({ offset, length: sectors * SECTOR_BYTES, unmap: (flags & RANGE_FLAG_UNMAP) !== 0 });
  }
  return { kind, ranges: found };
}

/** A sector number; one beyond 2^53 is rounded, and beyond every drive all the same. */
function readSector(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
