import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRelocatable, SectionType, viewOf } from '../../src/guests/elf-relocatable.ts';
import { GuestError } from '../../src/guests/guest-error.ts';
import { stripModule, withoutSignature } from '../../src/guests/strip-module.ts';
import { moduleSource } from './module-source.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();

/** Compiles a source the way kernel modules are: call sites for ftrace, debugging information, a .BTF section. */
function compile(source: string, flags: string[] = []): Buffer {
  const path = join(folder, 'module.c');
  writeFileSync(path, source);
  const object = join(folder, 'module.o');
  run('riscv64-linux-gnu-gcc', [
    '-c',
    '-O2',
    '-g',
    '-ffreestanding',
    '-fno-pic',
    '-mcmodel=medany',
    '-fpatchable-function-entry=4',
    '-ffunction-sections',
    ...flags,
    path,
    '-o',
    object,
  ]);
  const btf = join(folder, 'btf');
  writeFileSync(btf, randomBytes(100));
  run('riscv64-linux-gnu-objcopy', ['--add-section', `.BTF=${btf}`, object]);
  return readFileSync(object);
}

/** What a module means, whatever its order of symbols and strings: sections, relocations, symbols. */
function meaning(bytes: Uint8Array): { sections: string[]; symbols: string[] } {
  const { sections, symbols } = readRelocatable(bytes, 'module');
  const place = (index: number) => (index === 0 || index >= 0xff00 ? String(index) : sections[index]!.name);
  const symbolText = (index: number) => {
    const { name, info, other, section, value, size } = symbols[index]!;
    return `${name} ${info} ${other} ${place(section)} ${value} ${size}`;
  };
  const tables = ['.symtab', '.strtab', '.shstrtab'];
  return {
    symbols: symbols.map((_, index) => symbolText(index)).sort(),
    sections: sections
      .filter(({ name, type }) => type !== SectionType.null && !tables.includes(name))
      .map(({ name, type, flags, size, alignment, entrySize, data, info }) => {
        const head = `${name} ${type} ${flags} ${size} ${alignment} ${entrySize}`;
        if (type !== SectionType.rela) return `${head} ${Buffer.from(data).toString('hex')}`;
        const view = viewOf(data);
        const lines = Array.from({ length: size / 24 }, (_, index) => {
          const at = index * 24;
          const symbol = symbolText(view.getUint32(at + 12, true));
          return `${view.getBigUint64(at, true)} ${view.getUint32(at + 8, true)} ${symbol} ${view.getBigInt64(at + 16, true)}`;
        });
        return `${head} of ${place(info)}: ${lines.join('; ')}`;
      }),
  };
}

function objcopy(module: Uint8Array): Buffer {
  const path = join(folder, 'reference.o');
  writeFileSync(path, module);
  run('riscv64-linux-gnu-objcopy', [
    '--strip-unneeded',
    '-R',
    '.BTF',
    '-R',
    '__patchable_function_entries',
    path,
  ]);
  return readFileSync(path);
}

/** What scripts/sign-file of Linux appends. */
function signed(module: Uint8Array, bytes: number): Buffer {
  const info = Buffer.alloc(12);
  info[2] = 2; // PKCS#7
  info.writeUInt32BE(bytes, 8);
  return Buffer.concat([module, randomBytes(bytes), info, Buffer.from('~Module signature appended~\n')]);
}

describe('stripModule', () => {
  let module: Buffer;
  beforeAll(() => {
    module = compile(moduleSource);
  });

  it.each([
    [[]],
    [['-march=rv64gc', '-O0']],
    [['-fno-function-sections', '-Os']],
    [['-march=rv64imac', '-mabi=lp64']],
  ])('leaves the same sections, relocations and symbols as objcopy (%j)', (flags) => {
    const object = compile(moduleSource, flags as string[]);
    const stripped = stripModule(signed(object, 700), 'module');
    expect(meaning(stripped)).toEqual(meaning(objcopy(object)));
    expect(stripped.length).toBeLessThan(object.length / 2);
  });

  it('removes what it names: call sites, BTF, debugging information, and the relocations of these', () => {
    const names = (bytes: Uint8Array) => readRelocatable(bytes, 'module').sections.map(({ name }) => name);
    const unwanted = (name: string) => /BTF|patchable|debug/.test(name);
    expect(names(module).filter(unwanted).length).toBeGreaterThan(5);
    expect(names(stripModule(module, 'module')).filter(unwanted)).toEqual([]);
  });

  it('removes lists of trace events, and keeps what they name', () => {
    const source = `${moduleSource}
      int event_of_ours = 7, name_of_a_constant = 8;
      static __attribute__((section("_ftrace_events"), used)) int *an_event = &event_of_ours;
      static __attribute__((section("_ftrace_eval_map"), used)) int *a_name = &name_of_a_constant;`;
    const { sections, symbols } = readRelocatable(stripModule(compile(source), 'module'), 'module');
    expect(sections.map(({ name }) => name).filter((name) => name.includes('_ftrace_e'))).toEqual([]);
    const names = symbols.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['event_of_ours', 'name_of_a_constant']));
    expect(names).not.toContain('an_event');
  });

  it('writes a file that binutils reads without a word, and that stays as it is when stripped again', () => {
    const stripped = stripModule(module, 'module');
    writeFileSync(join(folder, 'stripped.o'), stripped);
    run('sh', ['-c', 'test -z "$(riscv64-linux-gnu-objdump -dr stripped.o 2>&1 >/dev/null)"'], {
      cwd: folder,
    });
    expect(meaning(stripModule(stripped, 'module'))).toEqual(meaning(stripped));
  });

  it('does not change what it is given', () => {
    const before = Buffer.from(module);
    stripModule(module, 'module');
    expect(module.equals(before)).toBe(true);
  });

  it('removes a signature of any length, and nothing from a module without one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 3000 }), (bytes, length) => {
        expect(Buffer.from(withoutSignature(signed(bytes, length))).equals(bytes)).toBe(true);
        expect(withoutSignature(bytes)).toBe(bytes);
      }),
    );
    const lying = signed(new Uint8Array(10), 0);
    lying.writeUInt32BE(0xffff_ffff, lying.length - 32);
    expect(withoutSignature(lying)).toBe(lying);
  });

  it('fails with a GuestError, or succeeds, but never otherwise, on damaged modules', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: module.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.option(fc.nat({ max: module.length })),
        (changes, length) => {
          const damaged = Buffer.from(module.subarray(0, length ?? undefined));
          for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
          // Section headers and the ELF header are where damage matters most.
          const table = Number(module.readBigUInt64LE(40));
          for (const [at, value] of changes)
            if (table + at < damaged.length) damaged[table + (at % 2048)] = value;
          try {
            stripModule(damaged, 'module');
          } catch (error) {
            expect(error).toBeInstanceOf(GuestError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['text', Buffer.from('#!/bin/sh\n')],
    ['a program of this machine', readFileSync(process.execPath).subarray(0, 4096)],
  ])('refuses %s', (_, bytes) => {
    expect(() => stripModule(bytes, 'module')).toThrow(/no kernel module/);
  });
});
