import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../../src/machine/elf.ts';
import { LoadError } from '../../src/machine/errors.ts';
import { Htif, type HtifHost } from '../../src/machine/htif.ts';
import { readSignature } from '../../src/machine/signature.ts';
import { buildElf, RAM } from './elf-builder.ts';

const TOHOST = RAM + 0x100n;
const FROMHOST = RAM + 0x140n;

function make() {
  const ram = new Uint8Array(0x1000);
  const view = new DataView(ram.buffer);
  const state = { out: '', input: [] as number[], code: undefined as number | undefined };
  const host: HtifHost = {
    ramView: (address, length) =>
      address >= RAM && address + length <= RAM + BigInt(ram.length)
        ? ram.subarray(Number(address - RAM), Number(address - RAM + length))
        : undefined,
    noteRamWritten: () => {},
    writeConsole: (bytes) => {
      state.out += String.fromCharCode(...bytes);
    },
    readConsole: () => state.input.shift(),
    exit: (code) => {
      state.code = code;
    },
  };
  const htif = new Htif(TOHOST, FROMHOST, host);
  const at = (address: bigint) => Number(address - RAM);
  const send = (command: bigint) => {
    view.setBigUint64(at(TOHOST), command, true);
    htif.serve();
    expect(view.getBigUint64(at(TOHOST), true)).toBe(0n);
  };
  return { htif, host, view, state, send, answer: () => view.getBigUint64(at(FROMHOST), true) };
}

describe('HTIF', () => {
  it('takes an odd value as the exit code times two plus one', () => {
    for (const code of [0n, 1n, 1337n, 0x7fffffffn]) {
      const { send, state } = make();
      send((code << 1n) | 1n);
      expect(state.code).toBe(Number(code));
    }
  });

  it('prints characters of device 1, command 1', () => {
    const { send, state, answer } = make();
    for (const c of 'ok\n') send((1n << 56n) | (1n << 48n) | BigInt(c.charCodeAt(0)));
    expect(state.out).toBe('ok\n');
    expect(answer()).toBe((1n << 56n) | (1n << 48n));
  });

  it('answers a read of the console when input comes', () => {
    const { htif, send, state, answer } = make();
    send(1n << 56n);
    expect(answer()).toBe(0n);
    state.input.push(65);
    htif.pollInput();
    expect(answer()).toBe((1n << 56n) | 0x141n);
  });

  it('carries out write and exit system calls, and refuses others', () => {
    const { send, state, view, answer } = make();
    const block = (number: bigint, ...args: bigint[]) => {
      [number, ...args].forEach((word, index) => {
        view.setBigUint64(0x200 + index * 8, word, true);
      });
      send(RAM + 0x200n);
      return view.getBigInt64(0x200, true);
    };
    view.setUint8(0x300, 0x68);
    view.setUint8(0x301, 0x69);
    expect(block(64n, 1n, RAM + 0x300n, 2n)).toBe(2n);
    expect(state.out).toBe('hi');
    expect(answer()).toBe(1n);
    expect(block(64n, 1n, RAM + 0xfffn, 2n)).toBe(-14n);
    expect(block(1n)).toBe(-38n);
    block(93n, 3n);
    expect(state.code).toBe(3);
  });

  it('never throws on a command', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (command, block) => {
          const { send, view } = make();
          new Uint8Array(view.buffer).set(block, 0x200);
          send(command);
          send(RAM + 0x200n);
        },
      ),
    );
  });

  it('refuses tohost outside RAM or misaligned', () => {
    const { host } = make();
    for (const address of [0n, RAM + 4n, RAM + 0x1000n, (1n << 64n) - 8n]) {
      expect(() => new Htif(address, undefined, host)).toThrow(LoadError);
    }
  });
});

describe('signature', () => {
  const ram = Uint8Array.from({ length: 64 }, (_, i) => i);
  const read = (symbols: Record<string, bigint>) =>
    readSignature(parseElf(buildElf({ symbols }), 'bios'), ram);

  it('is the words between its symbols', () => {
    expect(read({ begin_signature: RAM + 4n, end_signature: RAM + 12n })).toEqual(
      Uint32Array.of(0x07060504, 0x0b0a0908),
    );
  });

  it('is undefined without both symbols or when they do not enclose words of RAM', () => {
    expect(read({ begin_signature: RAM })).toBeUndefined();
    expect(read({ begin_signature: RAM + 8n, end_signature: RAM })).toBeUndefined();
    expect(read({ begin_signature: RAM, end_signature: RAM + 6n })).toBeUndefined();
    expect(read({ begin_signature: RAM, end_signature: RAM + 68n })).toBeUndefined();
    expect(read({ begin_signature: 0n, end_signature: 8n })).toBeUndefined();
  });
});
