import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HINT_INSTRUCTIONS, INSTRUCTIONS } from '../../src/isa/instruction-table.ts';
import { buildDeviceTree } from '../../src/machine/device-tree.ts';
import { cells, empty, type FdtNode, strings, writeFdt } from '../../src/machine/fdt.ts';
import { describeIsa } from '../../src/machine/isa-description.ts';
import { FakeHart } from '../devices/fake-hart.ts';

function dtc(blob: Uint8Array): { source: string; warnings: string } {
  if (!existsSync('/usr/bin/dtc')) {
    throw new Error('dtc is missing: install the Debian package device-tree-compiler');
  }
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-dtc-'));
  try {
    const file = join(folder, 'blob.dtb');
    writeFileSync(file, blob);
    const { stdout, stderr, status } = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', file], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`dtc refuses the blob: ${stderr}`);
    return { source: stdout, warnings: stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Paths of nodes to their properties as dtc prints them. */
function parse(source: string): Map<string, Map<string, string>> {
  const nodes = new Map<string, Map<string, string>>();
  const path: string[] = [];
  for (const line of source.split('\n').map((l) => l.trim())) {
    const open = /^(\S+) \{$/.exec(line);
    if (open) {
      path.push(open[1] === '/' ? '' : open[1]!);
      nodes.set(path.join('/') || '/', new Map());
    } else if (line === '};') path.pop();
    else {
      const property = /^([^\s=;]+)(?: = (.*))?;$/.exec(line);
      if (property && path.length > 0) nodes.get(path.join('/') || '/')!.set(property[1]!, property[2] ?? '');
    }
  }
  return nodes;
}

const options = {
  ramBytes: 128 << 20,
  isa: describeIsa(new FakeHart()),
  append: 'console=ttyS0 quiet',
  initrd: { start: 0x86000000, end: 0x86123456 },
  rngSeed: Uint8Array.from({ length: 32 }, (_, i) => i),
};

describe('device tree', () => {
  it('is accepted by dtc without a warning that matters', () => {
    const { warnings } = dtc(buildDeviceTree(options));
    expect(warnings).toBe('');
  });

  it('says the same as QEMU’s virt board in the nodes both have', () => {
    if (!existsSync('/usr/bin/qemu-system-riscv64')) {
      throw new Error('qemu-system-riscv64 is missing: install the Debian package qemu-system-misc');
    }
    const folder = mkdtempSync(join(tmpdir(), 'hypertab-qemu-'));
    try {
      const file = join(folder, 'virt.dtb');
      execFileSync('qemu-system-riscv64', ['-M', `virt,dumpdtb=${file}`, '-m', '128M', '-display', 'none'], {
        stdio: 'ignore',
      });
      const theirs = parse(dtc(readFileSync(file)).source);
      const ours = parse(dtc(buildDeviceTree(options)).source);
      const phandles = new Set(['phandle', 'interrupt-parent', 'interrupts-extended', 'regmap', 'cpu']);
      // What is ours to say: the processor's description, the board's name, the seed.
      const own = new Set(['riscv,isa', 'mmu-type', 'model', 'rng-seed']);
      let compared = 0;
      for (const [path, properties] of ours) {
        // QEMU's has none.
        if (path === '/soc/vmgenid@102000') continue;
        const reference = theirs.get(path);
        expect(reference, path).toBeDefined();
        for (const [name, value] of properties) {
          const expected = reference!.get(name);
          if (expected === undefined || own.has(name) || phandles.has(name)) continue;
          expect([path, name, value]).toEqual([path, name, expected]);
          compared++;
        }
        // Nothing a driver needs is left out.
        for (const name of reference!.keys()) expect([...properties.keys()], path).toContain(name);
      }
      expect(compared).toBeGreaterThan(60);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells the kernel its command line, initrd, seed and processor', () => {
    const nodes = parse(dtc(buildDeviceTree(options)).source);
    const chosen = nodes.get('/chosen')!;
    expect(chosen.get('bootargs')).toBe('"console=ttyS0 quiet"');
    expect(chosen.get('linux,initrd-start')).toBe('<0x00 0x86000000>');
    expect(chosen.get('linux,initrd-end')).toBe('<0x00 0x86123456>');
    const cpu = nodes.get('/cpus/cpu@0')!;
    expect(cpu.get('riscv,isa')).toBe(
      '"rv64imafdc_zicbom_zicbop_zicboz_zicntr_zicond_zicsr_zifencei_zihintpause_zihpm_zawrs_zfhmin_' +
        'zba_zbb_zbc_zbs_sstc_svadu_svinval_svnapot_svpbmt_svvptc"',
    );
    expect(cpu.get('riscv,isa-base')).toBe('"rv64i"');
    expect(cpu.get('mmu-type')).toBe('"riscv,sv57"');
  });

  it('promises only what the hart has', () => {
    const hart = new FakeHart();
    hart.menvcfgMask = 0n;
    hart.largestMode = 8n;
    const isa = describeIsa(hart);
    for (const name of ['zicbom', 'zicboz', 'sstc', 'svadu', 'svpbmt'])
      expect(isa.extensions).not.toContain(name);
    expect(isa.mmuType).toBe('riscv,sv39');
    expect(hart.readCsr(0x180)).toBe(0n);
  });
});

describe('the ISA string', () => {
  it('names every extension whose instructions the table has', () => {
    const { extensions } = describeIsa(new FakeHart());
    const table = new Set(
      [...INSTRUCTIONS, ...HINT_INSTRUCTIONS].flatMap(({ extension }) =>
        extension.toLowerCase().split(/[/+,]/),
      ),
    );
    expect(table.size).toBeGreaterThan(10);
    for (const mode of ['s', 'm-mode']) table.delete(mode); // no extensions: privilege modes
    for (const name of table) {
      const letters = name.startsWith('rv64') ? name.slice(4).split('') : [name];
      for (const letter of letters) expect(extensions).toContain(letter);
    }
  });
});

describe('FDT writer', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9,_-]{0,12}$/);
  const value = fc.oneof(
    fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 5 }).map((list) => cells(...list)),
    fc
      .array(fc.stringMatching(/^[ -!#-[\]-~]{1,12}$/), { minLength: 1, maxLength: 3 })
      .map((list) => strings(...list)),
    fc.constant(empty),
  );
  const treeOf = (depth: number): fc.Arbitrary<FdtNode> =>
    fc.record({
      name,
      properties: fc.dictionary(name, value, { maxKeys: 4 }),
      children:
        depth === 0
          ? fc.constant<FdtNode[]>([])
          : fc.uniqueArray(treeOf(depth - 1), { maxLength: 3, selector: (node) => node.name }),
    });

  it('writes any tree as a blob that dtc reads back the same', () => {
    fc.assert(
      fc.property(treeOf(3), (root) => {
        const blob = writeFdt({ ...root, name: '' });
        expect(blob.length % 8).toBe(0);
        const nodes = parse(dtc(blob).source);
        const check = (node: FdtNode, path: string) => {
          const properties = nodes.get(path || '/');
          expect(properties, path).toBeDefined();
          expect([...properties!.keys()].sort()).toEqual(Object.keys(node.properties).sort());
          for (const child of node.children ?? []) check(child, `${path}/${child.name}`);
        };
        check(root, '');
      }),
      { numRuns: 25 },
    );
  });

  it('refuses a zero byte in a string', () => {
    expect(() => writeFdt({ name: '', properties: { a: strings('x\0y') } })).toThrow(RangeError);
  });
});
