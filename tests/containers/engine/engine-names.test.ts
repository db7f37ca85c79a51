import { expect, it } from 'vitest';
import { ContainerEngine } from '../../../src/containers/engine/engine.ts';
import { MemoryVolumes } from '../../../src/containers/engine/volume-store.ts';

it('containers that are made at once have names of their own', async () => {
  const id = `sha256:${'b'.repeat(64)}` as const;
  const rootfs = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const config = {
      architecture: 'riscv64',
      os: 'linux',
      rootfs: { type: 'layers' as const, diff_ids: [] },
    };
    return { id, config, layers: [], diffIds: [] };
  };
  const engine = new ContainerEngine({
    images: { rootfs },
    volumes: new MemoryVolumes(),
    startHost: () => Promise.reject(new Error('there is none')),
  });
  const count = 400;
  await Promise.all(Array.from({ length: count }, () => engine.create({ Image: 'x', Cmd: ['true'] })));
  const names = engine.list({ all: true }).flatMap(({ Names }) => Names);
  expect(new Set(names).size).toBe(count);
  const taken = names[0]!.slice(1);
  await expect(engine.create({ Image: 'x', Cmd: ['true'] }, { name: taken })).rejects.toThrow(
    'is already in use',
  );
  const twice = await Promise.allSettled(
    [0, 1].map(() => engine.create({ Image: 'x', Cmd: ['true'] }, { name: 'same' })),
  );
  expect(twice.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
