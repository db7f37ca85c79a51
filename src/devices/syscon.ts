// Test finisher, known as syscon: the guest's switch for power-off, reboot and a failure code.
// SiFive test device (compatible "sifive,test0", "sifive,test1").
import type { MmioDevice } from './device.ts';

export const SYSCON_SIZE = 0x1000;
/** Low half of the register: what to do. High half: an exit code, for SYSCON_FAIL. */
export const SYSCON_FAIL = 0x3333;
export const SYSCON_POWEROFF = 0x5555;
export const SYSCON_REBOOT = 0x7777;

export type SysconRequest = { kind: 'poweroff' } | { kind: 'reboot' } | { kind: 'fail'; code: number };

export class Syscon implements MmioDevice {
  readonly name = 'syscon';
  readonly size = SYSCON_SIZE;
  private readonly request: (request: SysconRequest) => void;

  constructor(request: (request: SysconRequest) => void) {
    this.request = request;
  }

  read(): number {
    return 0;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset !== 0 || size === 1) return;
    switch (value & 0xffff) {
      case SYSCON_POWEROFF:
        this.request({ kind: 'poweroff' });
        break;
      case SYSCON_REBOOT:
        this.request({ kind: 'reboot' });
        break;
      case SYSCON_FAIL:
        this.request({ kind: 'fail', code: value >>> 16 });
        break;
    }
  }

  reset(): void {}
}
