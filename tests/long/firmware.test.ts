// Real firmware and real kernels, unmodified, from Debian's packages: OpenSBI, U-Boot, and the kernels of two suites.
import { beforeAll, describe, expect, test } from 'vitest';
import { linuxGuest } from '../determinism/linux.ts';
import { converse } from './converse.ts';
import { debianKernel, packageFile } from './packages.ts';

const MEMORY = 256 << 20;
const BOOTED = { kind: 'poweroff' } as const;
/** The init of tests/determinism says this, among other things. */
const SUM = /[0-9a-f]{64} {2}-/;
let linux: ReturnType<typeof linuxGuest>;
beforeAll(() => {
  linux = linuxGuest();
});

describe('OpenSBI of trixie', () => {
  test.each(['fw_dynamic', 'fw_jump'])('%s boots the kernel of trixie', async (name) => {
    const bios = await packageFile('trixie', 'opensbi', new RegExp(`riscv64.*/generic/${name}\\.bin$`));
    const { text, reason } = await converse({ ...linux, bios, memory: MEMORY, engine: 'auto' });
    expect(text).toContain('OpenSBI v1.');
    expect(text).toMatch(/Platform Name\s+: riscv-virtio/);
    expect(text).toMatch(SUM);
    expect(reason).toEqual(BOOTED);
  });
});

describe('U-Boot of trixie for QEMU', () => {
  test('starts under OpenSBI, runs commands, and boots the kernel with its initramfs', async () => {
    const bios = await packageFile('trixie', 'opensbi', /riscv64.*\/fw_dynamic\.bin$/);
    const uboot = await packageFile('trixie', 'u-boot-qemu', /\/qemu-riscv64_smode\/u-boot\.bin$/);
    const [kernelAt, initrdAt] = [0x8400_0000, 0x8a00_0000];
    const prompt = /=> $/;
    const type = (text: string): { wait: RegExp; type: string } => ({ wait: prompt, type: `${text}\n` });
    const { text, reason } = await converse(
      { bios, kernel: uboot, memory: MEMORY, engine: 'auto' },
      {
        // As QEMU's loader device does.
        prepare: (core) => {
          for (const [at, bytes] of [
            [kernelAt, linux.kernel],
            [initrdAt, linux.initrd],
          ] as const)
            core.ram.set(bytes, at - 0x8000_0000);
          core.noteRamWritten(0, core.ram.length);
        },
        turns: [
          { wait: /Hit any key to stop autoboot/, type: '\n' },
          type('version'),
          type('bdinfo'),
          type(`setenv bootargs '${linux.append}'`),
          type(
            `booti 0x${kernelAt.toString(16)} 0x${initrdAt.toString(16)}:0x${linux.initrd.length.toString(16)} \${fdtcontroladdr}`,
          ),
        ],
      },
    );
    expect(text).toContain('U-Boot 20');
    expect(text).toContain('Starting kernel');
    expect(text).toMatch(SUM);
    expect(reason).toEqual(BOOTED);
  });
});

describe.each(['trixie', 'sid'])("Debian's kernel of %s", (suite) => {
  test.each([
    ['with the machine’s own SBI', false],
    ['under OpenSBI', true],
  ])('boots %s, with the command line that a plain installation has', async (_, firmware) => {
    const { version, image } = await debianKernel(suite);
    const bios = await packageFile('trixie', 'opensbi', /riscv64.*\/fw_dynamic\.bin$/);
    const { text, reason, instructions, seconds } = await converse({
      kernel: image,
      initrd: linux.initrd,
      append: 'console=ttyS0',
      ...(firmware ? { bios } : {}),
      memory: MEMORY,
      engine: 'auto',
    });
    expect(text).toContain(`Linux version ${version}`);
    expect(text).toMatch(SUM);
    expect(text).not.toMatch(/BUG:|Oops|WARNING:|Call Trace|unhandled signal/);
    expect(reason).toEqual(BOOTED);
    console.log(
      `${suite}: ${version}, ${(instructions / 1e6).toFixed(0)} M instructions, ${seconds.toFixed(1)} s`,
    );
  });
});
