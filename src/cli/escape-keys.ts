const CTRL_A = 0x01;

/** What a person at the terminal asks of us, not of the guest. */
export type KeyAction = 'quit' | 'help' | 'power' | 'break' | 'save';

/** Splits what is typed into bytes for the guest and QEMU's Ctrl-A commands for us. */
export class EscapeKeys {
  #escaped = false;

  /** Takes typed bytes in pieces of any size; a command may be cut between two. */
  feed(bytes: Uint8Array): { data: Uint8Array; actions: KeyAction[] } {
    const data: number[] = [];
    const actions: KeyAction[] = [];
    for (const byte of bytes) {
      if (!this.#escaped) {
        if (byte === CTRL_A) this.#escaped = true;
        else data.push(byte);
        continue;
      }
      this.#escaped = false;
      const key = String.fromCharCode(byte).toLowerCase();
      if (key === 'x') actions.push('quit');
      else if (key === 'p') actions.push('power');
      else if (key === 'b') actions.push('break');
      else if (key === 's') actions.push('save');
      else if (key === 'h' || key === '?') actions.push('help');
      else if (byte === CTRL_A) data.push(CTRL_A);
    }
    return { data: Uint8Array.from(data), actions };
  }
}
