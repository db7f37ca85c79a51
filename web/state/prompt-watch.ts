const ESC = String.fromCharCode(0x1b);
/** Control sequences: colours, cursor movement, and the cursor query a shell sends after its prompt. */
const CONTROL_SEQUENCE = new RegExp(`${ESC}\\[[0-?]*[ -/]*[@-~]`, 'g');
const TAIL = 256;

/** Tells when the console's last bytes look like the guest's prompt. */
export class PromptWatch {
  readonly #prompt: string;
  readonly #decoder = new TextDecoder();
  #tail = '';

  constructor(prompt: string) {
    this.#prompt = prompt;
  }

  /** Takes output; true when it ends with the prompt. */
  push(bytes: Uint8Array): boolean {
    const text = this.#decoder.decode(bytes.subarray(-2 * TAIL), { stream: true });
    this.#tail = (this.#tail + text).slice(-TAIL);
    return this.#tail.replace(CONTROL_SEQUENCE, '').endsWith(this.#prompt);
  }
}
