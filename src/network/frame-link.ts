/** Takes a frame; while a promise it returns is pending, its sender holds back. */
export type FrameListener = (frame: Uint8Array) => void | Promise<void>;

/** What a network interface is plugged into: frames out, frames in. Either side may be another thread. */
export interface FrameLink {
  /** Sends a copy of a frame; false, and nothing is sent, while there is no room. */
  send(frame: Uint8Array): boolean;
  /** Called when there is room again after send() found none. */
  onRoom: (() => void) | undefined;
  /** Where frames go that arrive; those before it are lost, or wait. They belong to the listener. */
  listen(listener: FrameListener): void;
}
