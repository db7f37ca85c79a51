// Random bytes for a machine: the host's, or a reproducible sequence from a seed.

export type RandomSource = (length: number) => Uint8Array;

/** With a seed, the same sequence each time (SplitMix32; no secret); without, the host's CSPRNG. */
export function createRandom(seed: number | undefined): RandomSource {
  if (seed === undefined) return (length) => crypto.getRandomValues(new Uint8Array(length));
  let state = seed >>> 0;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) & 0xff;
    });
}
