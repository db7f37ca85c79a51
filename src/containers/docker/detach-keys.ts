import { DockerExit } from './docker-error.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
const NAMED: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * The bytes of `--detach-keys`: letters, and `ctrl-` with a letter or one of `@[\]^_`, with commas between them.
 * @throws {DockerExit} 1
 */
export function parseDetachKeys(text: string = DEFAULT_KEYS): number[] {
  return text.split(',').map((key) => {
    if (/^[ -~]$/.test(key)) return key.charCodeAt(0);
    const letter = /^ctrl-(.)$/.exec(key)?.[1];
    if (letter !== undefined && /[a-z]/.test(letter)) return letter.charCodeAt(0) - 96;
    const named = letter === undefined ? undefined : NAMED[letter];
    if (named === undefined) throw new DockerExit(1, `invalid detach keys (${text}): unknown key ${key}`);
    return named;
  });
}

/** Looks for a sequence of keys in what is typed, and holds back what may be its beginning. */
export class DetachWatch {
  readonly #keys: readonly number[];
  #held = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** The bytes that go on; `detach` when the sequence is whole. */
  feed(bytes: Uint8Array): { data: Uint8Array; detach: boolean } {
    const data: number[] = [];
    for (const byte of bytes) {
      if (byte === this.#keys[this.#held]) {
        this.#held++;
        if (this.#held === this.#keys.length) return { data: Uint8Array.from(data), detach: true };
        continue;
      }
      data.push(...this.#keys.slice(0, this.#held));
      this.#held = byte === this.#keys[0] ? 1 : 0;
      if (this.#held === 0) data.push(byte);
    }
    return { data: Uint8Array.from(data), detach: false };
  }
}
