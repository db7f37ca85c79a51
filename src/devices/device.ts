/** Access sizes a bus can carry, in bytes. */
export type AccessSize = 1 | 2 | 4 | 8;

/**
 * A memory-mapped device. Offsets are relative to its region and below its size; the bus has checked both.
 * Values are unsigned; bits above the access size are zero on writes and ignored on reads.
 */
export interface MmioDevice {
  readonly name: string;
  /** Bytes of address space, a multiple of 4. */
  readonly size: number;
  /** Reads 1, 2 or 4 bytes. An unimplemented register reads as zero. */
  read(offset: number, size: 1 | 2 | 4): number;
  /** Writes 1, 2 or 4 bytes. A write to an unimplemented or read-only register is ignored. */
  write(offset: number, size: 1 | 2 | 4, value: number): void;
  /** 8-byte access, where it must be one; absent, the bus makes two of 4 bytes, low half first. */
  read64?(offset: number): bigint;
  write64?(offset: number, value: bigint): void;
  /** Back to the state after power-on. */
  reset(): void;
}

/** An interrupt wire into an interrupt controller or a hart. */
export type InterruptWire = (level: boolean) => void;
