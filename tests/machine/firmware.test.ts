import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/machine/machine.ts';
import type { MachineConfig, StopReason } from '../../src/machine/machine-types.ts';
import { coreModule } from '../support/core.ts';
import { serialOutputOfQemu } from '../support/qemu.ts';

const OPENSBI = '/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin';
const MIB = 1 << 20;

/** An S-mode program that says what it finds, waits for a timer, and switches the machine off. */
const PAYLOAD = `
.macro sbi ext, fid
  li a7, \\ext
  li a6, \\fid
  ecall
.endm
.globl _start
_start:
  la sp, stack_top
  mv s0, a0
  mv s1, a1
  la a0, text_hello
  call print
  add a0, s0, '0'            # hart id
  call putc
  lwu a0, 0(s1)              # device tree magic, big-endian: low byte first is 0xd0
  andi a0, a0, 0xff
  li t0, 0xd0
  sub a0, a0, t0
  seqz a0, a0
  add a0, a0, '0'
  call putc
  andi a0, s1, 7             # its alignment
  add a0, a0, '0'
  call putc
  csrr a0, satp
  snez a0, a0
  add a0, a0, '0'
  call putc
  li a0, 0x53525354          # SRST is there
  sbi 0x10, 3
  add a0, a1, '0'
  call putc
  sbi 0x99999, 0             # an unknown extension: -2
  neg a0, a0
  add a0, a0, '0'
  call putc
  la t0, trap
  csrw stvec, t0
  rdtime a0                  # a timer in 5 ms
  li t0, 50000
  add a0, a0, t0
  sbi 0x54494d45, 0
  li t0, 0x20
  csrs sie, t0
  la s5, fired
1: wfi                        # waits with interrupts off: one that came before would leave it waiting
  csrsi sstatus, 2
  csrci sstatus, 2
  lw t0, 0(s5)
  beqz t0, 1b
  sw zero, 0(s5)
  csrsi sstatus, 2
  li a0, 1                   # an IPI to itself
  li a1, 0
  li t0, 0x2
  csrs sie, t0
  sbi 0x735049, 0
1: lw t0, 0(s5)
  beqz t0, 1b
  li a0, 0
  li a1, 0
  sbi 0x53525354, 0
1: j 1b

.balign 4
trap:
  csrr t0, scause
  andi a0, t0, 0xf
  add a0, a0, '0'
  mv s3, ra
  call putc
  mv ra, s3
  csrwi sip, 0
  li t0, 0x22
  csrc sie, t0
  la t0, fired
  li t1, 1
  sw t1, 0(t0)
  sret

print:
  mv s2, ra
  mv s4, a0
1: lbu a0, 0(s4)
  beqz a0, 2f
  call putc
  addi s4, s4, 1
  j 1b
2: mv ra, s2
  ret

putc:
  li t0, 0x10000000
1: lbu t1, 5(t0)
  andi t1, t1, 0x20
  beqz t1, 1b
  sb a0, 0(t0)
  ret

text_hello: .asciz "payload:"
.balign 8
fired: .dword 0
.space 512
stack_top:
`;

/** An M-mode program: prints, echoes one line of input through the UART, reports through HTIF. */
const BARE_METAL = `
.globl _start, tohost, begin_signature, end_signature
_start:
  li s0, 0x10000000
  li a0, '>'
  sb a0, 0(s0)
1: lbu t1, 5(s0)
  andi t1, t1, 1
  beqz t1, 1b
  lbu a0, 0(s0)
  sb a0, 0(s0)
  li t0, '\\n'
  bne a0, t0, 1b
  la t0, begin_signature
  csrr t1, misa
  sw t1, 0(t0)
  li t1, 0x12345678
  sw t1, 4(t0)
  la t0, tohost
  li t1, 85
  sd t1, 0(t0)
1: j 1b
.balign 64
tohost: .dword 0
begin_signature: .space 8
end_signature:
`;

let folder = '';
const file = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

function assemble(name: string, source: string, base: string): void {
  if (!existsSync('/usr/bin/riscv64-linux-gnu-gcc')) {
    throw new Error('riscv64-linux-gnu-gcc is missing: install the Debian package gcc-riscv64-linux-gnu');
  }
  writeFileSync(join(folder, `${name}.S`), source);
  const flags = ['-nostdlib', '-static', '-march=rv64gc', '-mcmodel=medany', '-mno-relax'];
  const link = [`-Wl,-Ttext=${base},--build-id=none,--omagic,--no-warn-rwx-segments`];
  execFileSync('riscv64-linux-gnu-gcc', [
    ...flags,
    ...link,
    '-o',
    join(folder, name),
    join(folder, `${name}.S`),
  ]);
}

async function run(
  config: Partial<MachineConfig>,
  input?: string,
): Promise<{ text: string; reason: StopReason; machine: Machine }> {
  const machine = new Machine({ core: coreModule(), memory: 32 * MIB, engine: 'auto', ...config });
  let text = '';
  machine.onConsoleOutput = (bytes) => {
    text += String.fromCharCode(...bytes);
  };
  if (input) machine.consoleInput(new TextEncoder().encode(input));
  const end = performance.now() + 20_000;
  for (;;) {
    const result = machine.runSlice(10);
    if (result.state === 'stopped') return { text, reason: result.reason, machine };
    if (performance.now() > end) throw new Error(`still running after 20 s; it said: ${text}`);
    if (result.state === 'idle')
      await new Promise((resolve) => setTimeout(resolve, Math.min(result.wakeInMs, 20)));
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypertab-firmware-'));
  assemble('payload', PAYLOAD, '0x80200000');
  assemble('bare', BARE_METAL, '0x80000000');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('an S-mode payload', () => {
  it('finds the same under the machine’s SBI, under OpenSBI, and on QEMU', async () => {
    if (!existsSync(OPENSBI))
      throw new Error(`${OPENSBI} is missing: install the Debian package qemu-system-data`);
    const qemu = serialOutputOfQemu(folder, ['-m', '32M', '-kernel', join(folder, 'payload')], 50_000);
    const expected = /payload:.*/.exec(qemu)?.[0].trim();
    // Hart 0, a device tree at a multiple of 8, satp 0, SRST there, -2 for an unknown call, timer (5), IPI (1).
    expect(expected).toBe('payload:01001251');

    const own = await run({ kernel: file('payload') });
    expect([own.text, own.reason]).toEqual([expected, { kind: 'poweroff' }]);

    const under = await run({ kernel: file('payload'), bios: new Uint8Array(readFileSync(OPENSBI)) });
    expect(under.text).toContain('OpenSBI v');
    expect(under.text).toContain(expected);
    expect(under.reason).toEqual({ kind: 'poweroff' });
  });
});

describe('a bare-metal program', () => {
  it('talks through the UART, exits through HTIF and leaves its signature', async () => {
    const { text, reason, machine } = await run({ bios: file('bare') }, 'echo this\n');
    expect([text, reason]).toEqual(['>echo this\n', { kind: 'exit', code: 42 }]);
    const signature = machine.signature()!;
    expect(signature.length).toBe(2);
    expect(signature[1]).toBe(0x12345678);
  });
});
