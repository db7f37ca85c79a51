// Bare-metal programs from the reference toolchain: HTIF's exit codes and console, syscon, signatures, faults.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hypertab, oracle, statsOf, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
let count = 0;

/** Assembles and links a program for 0x8000_0000. */
function build(source: string): string {
  const name = join(folder, `program${count++}`);
  writeFileSync(`${name}.S`, `.global _start\n.option norelax\n_start:\n${source}\n`);
  oracle('riscv64-linux-gnu-gcc', 'gcc-riscv64-linux-gnu', [
    ...['-march=rv64gc', '-mabi=lp64d', '-nostdlib', '-static', '-mcmodel=medany', '-Wl,--build-id=none'],
    ...['-Wl,-N', '-Wl,-Ttext=0x80000000', '-o', `${name}.elf`, `${name}.S`],
  ]);
  return `${name}.elf`;
}

const HTIF =
  '.section .data\n.align 6\n.global tohost\ntohost: .dword 0\n.align 6\n.global fromhost\nfromhost: .dword 0';
const htif = (body: string) => build(`${body}\n1: j 1b\n${HTIF}`);
const run = (elf: string, ...more: string[]) => hypertab(['run', '--bios', elf, '--timeout', '20', ...more]);

describe('a bare-metal ELF', () => {
  it.each([
    [1, 0],
    [(7 << 1) | 1, 7],
    [(255 << 1) | 1, 255],
  ])('that writes %i to tohost ends with exit status %i', async (value, status) => {
    const elf = htif(`li t0, ${value}\nla t1, tohost\nsd t0, 0(t1)`);
    expect(await run(elf)).toEqual({ status, stdout: '', stderr: '' });
  });

  it('prints characters through HTIF and the UART', async () => {
    const print = [...'Hi\n'].map(
      (character) =>
        `li t0, ${(0x0101n << 48n) | BigInt(character.charCodeAt(0))}\nla t1, tohost\nsd t0, 0(t1)\n2: ld t2, 0(t1)\nbnez t2, 2b`,
    );
    const uart = [...'UART\n'].map(
      (character) => `li t0, 0x10000000\nli t1, ${character.charCodeAt(0)}\nsb t1, 0(t0)`,
    );
    const elf = htif(`${[...print, ...uart].join('\n')}\nli t0, 1\nla t1, tohost\nsd t0, 0(t1)`);
    expect(await run(elf)).toEqual({ status: 0, stdout: 'Hi\nUART\n', stderr: '' });
  });

  it('powers off through syscon, with a code when it failed', async () => {
    const syscon = (value: number) => build(`li t0, 0x100000\nli t1, ${value}\nsw t1, 0(t0)\n1: j 1b`);
    expect((await run(syscon(0x5555))).status).toBe(0);
    expect((await run(syscon(0x3333 | (42 << 16)))).status).toBe(42);
    const reboot = await run(syscon(0x7777), '--no-reboot', '--stats');
    expect(reboot.status).toBe(0);
    expect(statsOf(reboot).reason).toBe('reboot');
  });

  it('leaves its signature as hex words, lowest address first', async () => {
    const elf = build(
      `la t1, begin_signature\nli t0, 0x1122334455667788\nsd t0, 0(t1)\nli t0, 1\nla t1, tohost\nsd t0, 0(t1)\n1: j 1b\n${HTIF}
.align 4\n.global begin_signature\nbegin_signature: .dword 0\n.word 0xdeadbeef, 0x0000000f\n.global end_signature\nend_signature:`,
    );
    const path = join(folder, 'signature');
    expect((await run(elf, '--signature', path)).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('55667788\n11223344\ndeadbeef\n0000000f\n');
  });

  it('without a signature is told so, when one was asked for', async () => {
    const result = await run(
      htif('li t0, 1\nla t1, tohost\nsd t0, 0(t1)'),
      '--signature',
      join(folder, 'none'),
    );
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/^hypertab: signature: the image has no begin_signature[^\n]*\n$/);
  });

  it('whose traps lead nowhere ends with exit status 1 and a line that says where', async () => {
    const result = await run(build('csrw mtvec, zero\n.word 0\n1: j 1b'));
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^hypertab: [^\n]+\n$/);
  });

  it('stops after exactly as many instructions as it may', async () => {
    // 1 + 3 * 333 + 1: the last one is the 1,001st.
    const elf = build('li a0, 333\n2: addi a0, a0, -1\nnop\nbnez a0, 2b\n1: j 1b');
    for (const limit of [0, 1, 2, 3, 500, 1001, 50_000_001]) {
      const result = await run(elf, '--max-instructions', String(limit), '--stats');
      expect(result.status).toBe(124);
      expect(statsOf(result)).toMatchObject({ instructions: limit, reason: 'limit' });
    }
  });
});
