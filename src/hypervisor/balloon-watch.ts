import type { VirtualMachine } from './types.ts';

/** How long a guest has to begin with giving memory up. */
const PATIENCE_MS = 5000;

/** Warns when a running guest was asked for memory and has no driver that would hear it. */
export function watchBalloon(vm: VirtualMachine, warn: (message: string) => void): void {
  if (vm.state !== 'running') return;
  const timer = setTimeout(async () => {
    if (vm.state !== 'running') return;
    const memory = await vm.memory().catch(() => undefined);
    if (memory === undefined || memory.guest !== undefined || memory.balloonActual > 0) return;
    if (memory.balloonTarget > 0) {
      warn(
        "memoryLimit: the guest gives nothing up: the balloon's driver is not loaded (modprobe virtio_balloon)",
      );
    }
  }, PATIENCE_MS);
  // Node: a look at a guest must not keep the process.
  (timer as { unref?(): void }).unref?.();
}
