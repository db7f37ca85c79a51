// SBI calls with anything in their registers, from a guest that goes on after each: the machine answers all of them.
// HYPERTAB_LONG=1 makes a million.
import { expect, test } from 'vitest';
import { Machine } from '../../src/machine/machine.ts';
import { Code } from '../diff/code.ts';
import { staticElf } from '../diff/elf.ts';
import { Random } from '../diff/random.ts';
import { coreModule } from '../support/core.ts';
import { hostileAddress, hostileWord, LONG, RAM_BYTES, SEED, SLICE_MS, Watchdog } from './hostile.ts';

const CALLS = LONG ? 1_000_000 : 20_000;
/** Calls of one program. */
const BATCH = 500;
const START = 0x8020_0000;
const TABLE = START + 0x1000;
/** The guest counts its calls here. */
const COUNT = START + 0x800;
const CALL_BYTES = 64;
const EXTENSIONS = [
  0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x53525354, 0x4442434e, 0x504d55, 0x535441,
];
/** Legacy shutdown, HSM, SRST. */
const ENDINGS = [8, 0x48534d, 0x53525354];
const S0 = 8;
const T0 = 5;
const T1 = 6;
const A0 = 10;

/** Loads a0 to a7 from a table, calls, counts; after the last call, jumps to itself. */
function program(table: BigUint64Array): Uint8Array {
  const code = new Code(START);
  code.address(S0, TABLE);
  const loop = code.pc;
  for (let index = 0; index < 8; index++) code.add('ld', { rd: A0 + index, rs1: S0, imm: 8 * index });
  code.add('ecall');
  code.address(T0, COUNT);
  code.add('ld', { rd: T1, rs1: T0 });
  code.add('addi', { rd: T1, rs1: T1, imm: 1 });
  code.add('sd', { rs2: T1, rs1: T0 });
  code.add('addi', { rd: S0, rs1: S0, imm: CALL_BYTES });
  code.add('addi', { rd: T0, imm: BATCH });
  code.add('blt', { rs1: T1, rs2: T0, imm: loop - code.pc });
  code.add('jal', { imm: 0 });
  const image = new Uint8Array(0x1000 + table.byteLength);
  image.set(code.bytes, 0);
  image.set(new Uint8Array(table.buffer), TABLE - START);
  return staticElf(START, image);
}

function calls(random: Random): BigUint64Array {
  const table = new BigUint64Array((BATCH * CALL_BYTES) / 8);
  for (let call = 0; call < BATCH; call++) {
    const argument = (): bigint =>
      random.once(2)
        ? hostileAddress(random)
        : random.once(2)
          ? BigInt(hostileWord(random))
          : BigInt(random.below(4));
    for (let index = 0; index < 6; index++) table[call * 8 + index] = argument();
    table[call * 8 + 6] = random.once(8) ? hostileAddress(random) : BigInt(random.below(12));
    let extension = random.once(3) ? random.below(16) : random.pick(EXTENSIONS);
    // What ends the machine or its hart ends the batch.
    if (ENDINGS.includes(extension) && !random.once(40)) extension = 0x4442434e;
    table[call * 8 + 7] = random.once(8) ? hostileAddress(random) : BigInt(extension);
  }
  return table;
}

test(
  'any SBI call is answered, or switches the machine off when it asks for that',
  () => {
    const random = new Random(SEED);
    const watchdog = new Watchdog();
    const seen = new Set<string>();
    let done = 0;
    while (done < CALLS) {
      const table = calls(random);
      const batch = { core: coreModule(), memory: RAM_BYTES + (16 << 20), kernel: program(table), seed: 1 };
      let count = 0;
      let stopped: string | undefined;
      watchdog.run(
        () => `seed ${SEED}, after ${done + count} calls`,
        () => {
          const machine = new Machine({
            ...batch,
            engine: 'interpreter',
            clock: 'instructions',
            noReboot: true,
          });
          machine.setInstructionLimit(40 * BATCH);
          machine.consoleInput(Uint8Array.of(65, 66, 67));
          let previous = -1;
          for (;;) {
            const result = machine.runSlice(5);
            count = Number(machine.stats().sbiCalls);
            if (result.state === 'stopped') {
              stopped = result.reason.kind;
              return;
            }
            // A call that suspends the hart, or a machine that goes nowhere: the batch is over.
            if (result.state === 'idle' && count === previous) {
              stopped = 'idle';
              return;
            }
            previous = count;
          }
        },
      );
      seen.add(stopped ?? '');
      expect(['poweroff', 'reboot', 'limit', 'idle'], `seed ${SEED}, call ${done + count}`).toContain(
        stopped,
      );
      done += Math.max(1, count);
    }
    expect([...seen]).toContain('poweroff');
    if (LONG)
      process.stdout.write(
        `SBI: ${done} calls, the slowest ${watchdog.slowest.toFixed(0)} ms for up to ${BATCH}\n`,
      );
    expect(watchdog.slowest).toBeLessThan(SLICE_MS * 40);
  },
  LONG ? 900_000 : 60_000,
);
