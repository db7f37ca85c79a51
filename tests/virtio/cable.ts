import type { FrameLink, FrameListener } from '../../src/network/frame-link.ts';

/** What a network device is plugged into: keeps its frames, and has room until it is told otherwise. */
export class Cable implements FrameLink {
  onRoom: (() => void) | undefined;
  full = false;
  readonly sent: Uint8Array[] = [];
  give: FrameListener = () => {};

  send(frame: Uint8Array): boolean {
    if (this.full) return false;
    this.sent.push(frame.slice());
    return true;
  }
  listen(listener: FrameListener): void {
    this.give = listener;
  }
}
