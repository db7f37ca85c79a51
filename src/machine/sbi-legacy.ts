// SBI legacy extensions that early consoles use. RISC-V SBI 2.0, chapter 5.
import { clearSupervisorSoftware } from './sbi-interrupts.ts';
import { SBI_ERR_NOT_SUPPORTED, type SbiCall } from './sbi-types.ts';

const SET_TIMER = 0;
const CONSOLE_PUTCHAR = 1;
const CONSOLE_GETCHAR = 2;
const CLEAR_IPI = 3;
const SHUTDOWN = 8;

/** Answers a legacy call; the result goes to a0. */
export function legacyCall(extension: number, { args, hart, host }: SbiCall): bigint | undefined {
  switch (extension) {
    case SET_TIMER:
      hart.stimecmp = args[0]!;
      return 0n;
    case CONSOLE_PUTCHAR:
      host.writeConsole(Uint8Array.of(Number(args[0]! & 0xffn)));
      return 0n;
    case CONSOLE_GETCHAR: {
      const byte = host.readConsole();
      return byte === undefined ? -1n : BigInt(byte);
    }
    case CLEAR_IPI:
      clearSupervisorSoftware(hart);
      return 0n;
    case SHUTDOWN:
      host.requestStop('poweroff');
      return undefined;
    default:
      // Calls 4 to 7 pass a hart mask by virtual address; the IPI and RFENCE extensions replace them.
      return BigInt(SBI_ERR_NOT_SUPPORTED);
  }
}
