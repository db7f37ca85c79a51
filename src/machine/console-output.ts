// Collects console bytes so that the host gets them in batches.

const FLUSH_BYTES = 0x4000;

export class ConsoleOutput {
  private readonly buffer = new Uint8Array(FLUSH_BYTES);
  private length = 0;
  private readonly deliver: (bytes: Uint8Array) => void;

  /** @param deliver gets each batch as an array of its own */
  constructor(deliver: (bytes: Uint8Array) => void) {
    this.deliver = deliver;
  }

  writeByte(byte: number): void {
    this.buffer[this.length++] = byte;
    if (this.length === FLUSH_BYTES) this.flush();
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.writeByte(byte);
  }

  flush(): void {
    if (this.length === 0) return;
    const batch = this.buffer.slice(0, this.length);
    this.length = 0;
    this.deliver(batch);
  }
}
