// Random bytes for a machine: the host's, or a reproducible sequence from a seed.
import type { RandomSource } from '../virtio/entropy.ts';

/** With a seed, the same sequence each time (SplitMix32; no secret); without, the host's CSPRNG. */
export function createRandom(seed: number | undefined): RandomSource {
  return seed === undefined
    ? { next: (length) => crypto.getRandomValues(new Uint8Array(length)) }
    : new SeededRandom(seed);
}

class SeededRandom implements RandomSource {
  position: number;

  constructor(seed: number) {
    this.position = seed >>> 0;
  }

  next(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => {
      this.position = (this.position + 0x9e3779b9) >>> 0;
      const { position } = this;
      let mixed = Math.imul(position ^ (position >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) & 0xff;
    });
  }
}
