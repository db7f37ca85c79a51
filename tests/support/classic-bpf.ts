/** One system call as a filter sees it (struct seccomp_data). */
export interface SeenCall {
  number: number;
  architecture?: number;
  arguments?: readonly bigint[];
}

const RISCV64 = 0xc000_00f3;

/** Runs a program of classic BPF as seccomp(2) does; answers what it returns. */
export function runFilter(program: Uint8Array, call: SeenCall): number {
  const seen = new DataView(new ArrayBuffer(64));
  seen.setInt32(0, call.number, true);
  seen.setUint32(4, call.architecture ?? RISCV64, true);
  (call.arguments ?? []).forEach((value, index) => {
    seen.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true);
  });
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  let value = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [operation, constant] = [code.getUint16(at * 8, true), code.getUint32(at * 8 + 4, true)];
    const jump = (yes: boolean) => {
      at += code.getUint8(at * 8 + (yes ? 2 : 3));
    };
    switch (operation) {
      case 0x20:
        value = seen.getUint32(constant, true);
        break;
      case 0x54:
        value = (value & constant) >>> 0;
        break;
      case 0x05:
        at += constant;
        break;
      case 0x15:
        jump(value === constant);
        break;
      case 0x25:
        jump(value > constant);
        break;
      case 0x35:
        jump(value >= constant);
        break;
      case 0x06:
        return constant;
      default:
        throw new Error(`operation 0x${operation.toString(16)} at ${at}`);
    }
  }
  throw new Error('the program ends without a result');
}
