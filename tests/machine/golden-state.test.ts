// States that earlier versions wrote load for ever. A layout that changes gets a new version: the golden bytes of the
// one before stay, and those of the new one are added (HYPERTAB_GOLDEN=1 writes state-N.json anew).
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { StateSection } from '../../src/machine/machine-state.ts';
import type { MachineConfig, MachineParts } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { addFiles } from '../../src/storage/tree/file-set.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { coreModule } from '../support/core.ts';
import { Reflector } from '../support/reflector.ts';
import { runTo, testMachine } from '../support/saved-machine.ts';

const GOLDEN = new URL('golden/state-1.json', import.meta.url);
/** Counts in x5, for ever. */
const BIOS = new Uint8Array(Uint32Array.of(0x00128293, 0xffdff06f).buffer);

interface GoldenSection {
  name: string;
  version: number;
  hex: string;
}

const config = (): MachineConfig => ({
  core: coreModule(),
  memory: 16 << 20,
  bios: BIOS,
  engine: 'interpreter',
  clock: 'instructions',
  seed: 1,
  consoles: 2,
  channels: 1,
});

function parts(): MachineParts {
  const tree = new MemoryTree({ sharing: 'immutable', now: () => 0n });
  addFiles(tree, [{ path: 'directory/file', contents: new Uint8Array(10) }]);
  return {
    drives: [{ backend: new MemoryBackend({ bytes: 1 << 16 }) }],
    shares: [{ tag: 'tag', tree }],
    networks: [{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), mtu: 1500, link: new Reflector() }],
  };
}

/** Milliseconds are the host's: the one thing that is not the same on each run. */
const withoutBusyTime = (sections: readonly StateSection[]) =>
  sections.filter(({ name }) => name !== 'figures');

async function write(): Promise<void> {
  const made = testMachine(config(), parts());
  made.machine.consoleInput(new TextEncoder().encode('typed'));
  made.machine.terminals[1]!.resize(100, 40);
  made.machine.terminals[0]!.type(Uint8Array.of(1, 2, 3));
  made.machine.setBalloon(1 << 20);
  await runTo(made, 12_345);
  const golden = made.machine.saveState().map(({ name, version, bytes }): GoldenSection => {
    return { name, version, hex: Buffer.from(bytes).toString('hex') };
  });
  writeFileSync(GOLDEN, `${JSON.stringify(golden, undefined, 2)}\n`);
}

it('a state of version 1 loads, and is saved as it was where its layout is still the same', async () => {
  if (process.env.HYPERTAB_GOLDEN === '1') await write();
  const golden = (JSON.parse(readFileSync(GOLDEN, 'utf8')) as GoldenSection[]).map(
    ({ name, version, hex }): StateSection => ({
      name,
      version,
      bytes: new Uint8Array(Buffer.from(hex, 'hex')),
    }),
  );
  const { machine, core } = testMachine({ ...config(), standby: true }, parts());
  machine.restoreState(golden);
  expect(core.instructions).toBe(12_345);
  expect(core.hart.getX(5)).toBe(6173n);
  expect(machine.consoleInputPending).toBe(5);
  expect(machine.terminals[0]!.inputPending).toBe(3);
  expect(machine.memory().balloonTarget).toBe(1 << 20);
  const now = machine.saveState();
  const sameLayout = now.filter(({ name, version }) =>
    golden.some((old) => old.name === name && old.version === version),
  );
  const names = new Set(sameLayout.map(({ name }) => name));
  expect(withoutBusyTime(sameLayout)).toEqual(withoutBusyTime(golden.filter(({ name }) => names.has(name))));
});
