// The power button: how a guest is asked to end in good order.
//
// Debian's riscv64 kernel has no driver that would hear a button (gpio-keys is not built, virtio-input is a module,
// there is no ACPI), but it does listen to its serial console: a break and a letter is a "magic SysRq". Three of them
// are what a shutdown is: sync, remount read-only, power off; the one before them, which ends all processes, is
// followed where the guest allows it (sysctl kernel.sysrq, or sysrq_always_enabled on its command line).
import type { StopReason } from '../machine/machine-types.ts';
import { GuestStoppedError, TimeoutError } from './errors.ts';
import type { VirtualMachine } from './types.ts';

/** As `docker stop` has it. */
const TIMEOUT_MS = 10_000;
/** What programs are given to end after they were told to. */
const GRACE_MS = 1000;
/** How often is looked whether the guest still writes to its drives, and how often it must not have. */
const LOOK_MS = 50;
const QUIET_LOOKS = 4;
/** A power-off that no word of the kernel's was seen of by then is asked for again. */
const AGAIN_MS = 2000;

export interface ShutdownOptions {
  /** Milliseconds for the guest to end; default 10,000. */
  timeoutMs?: number;
  /** Of these, how many its programs have after they were told to end; default 1,000. */
  graceMs?: number;
  /** True: the plug is pulled when the time is up, as `docker stop` does. */
  force?: boolean;
}

/** What shutDown() needs of a VM beside what everybody has. */
export interface PowerButton {
  vm: VirtualMachine;
  /** A break on the serial line, and a letter behind it. */
  press(key: string): Promise<void>;
}

/**
 * Asks the guest to end its programs, write what it has to write, and power off; resolves with why it stopped.
 * @throws {TimeoutError} when it has not, and force is not given
 */
export async function shutDown(button: PowerButton, options: ShutdownOptions = {}): Promise<StopReason> {
  const { vm } = button;
  const { timeoutMs = TIMEOUT_MS, graceMs = GRACE_MS, force = false } = options;
  const end = performance.now() + timeoutMs;
  const left = () => Math.max(0, end - performance.now());
  const stopped = vm.wait();
  const words = new KernelWords(vm);
  try {
    const asked = ask(button, words, Math.min(graceMs, timeoutMs / 2), left);
    // It may stop in the middle of what is asked of it.
    asked.catch(() => {});
    const reason = await Promise.race([stopped, asked.then(() => settle(stopped, left()))]);
    if (reason !== undefined) return reason;
    if (!force) {
      throw new TimeoutError(
        words.refused
          ? `${vm.name} does not follow the power button: its sysctl kernel.sysrq forbids it; powerOff() pulls the plug`
          : `${vm.name} has not powered off ${timeoutMs / 1000} s after it was asked to; Linux listens for this on its ` +
              'serial console (magic SysRq), other programs may not; powerOff() pulls the plug',
      );
    }
    await vm.powerOff();
    return await stopped;
  } finally {
    words.end();
  }
}

async function ask(
  { vm, press }: PowerButton,
  words: KernelWords,
  graceMs: number,
  left: () => number,
): Promise<void> {
  await press('e');
  // A guest that does not allow it says so at once.
  await words.until(() => words.refused || words.terminating, Math.min(left(), graceMs));
  if (!words.refused) await pause(Math.min(graceMs, left()));
  words.refused = false;
  await press('s');
  await quiet(vm, left);
  await press('u');
  await quiet(vm, left);
  do {
    await press('o');
    await words.until(() => words.poweringOff || words.refused, Math.min(AGAIN_MS, left()));
  } while (!words.poweringOff && !words.refused && left() > 0 && vm.state === 'running');
}

/** Waits until the guest has not written to its drives for a while. */
async function quiet(vm: VirtualMachine, left: () => number): Promise<void> {
  let written = -1;
  for (let looks = 0; looks < QUIET_LOOKS && left() > 0; looks++) {
    const { driveWrites } = await vm.stats();
    if (driveWrites !== written) looks = 0;
    written = driveWrites;
    await pause(LOOK_MS);
    if (vm.state === 'stopped' || vm.state === 'destroyed') {
      throw new GuestStoppedError(`${vm.name} stopped while it was shut down`);
    }
  }
}

/** What the kernel says of the keys on its console. */
class KernelWords {
  terminating = false;
  poweringOff = false;
  refused = false;
  readonly #off: () => void;
  #tail = '';
  #changed: (() => void) | undefined;

  constructor(vm: VirtualMachine) {
    const decoder = new TextDecoder('latin1');
    this.#off = vm.console().onData((bytes) => {
      this.#tail = (this.#tail + decoder.decode(bytes)).slice(-400 - bytes.length);
      if (this.#tail.includes('sysrq: Terminate All Tasks')) this.terminating = true;
      if (this.#tail.includes('sysrq: Power Off')) this.poweringOff = true;
      if (this.#tail.includes('This sysrq operation is disabled')) {
        this.refused = true;
        this.#tail = '';
      }
      this.#changed?.();
    });
  }

  async until(condition: () => boolean, milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!condition() && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - performance.now());
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#changed = undefined;
  }

  end(): void {
    this.#off();
  }
}

async function settle<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
