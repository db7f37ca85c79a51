import { afterEach, describe, expect, it } from 'vitest';
import { FileError, StateError } from '../../src/hypervisor/errors.ts';
import type { VmShare } from '../../src/hypervisor/types.ts';
import type { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { readFile } from '../../src/storage/tree/tree-files.ts';
import { eventually } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const open: { destroyAll(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((hypervisor) => hypervisor.destroyAll()));
});

async function vmWith(...shares: VmShare[]) {
  const { hypervisor, workers } = fakeHypervisor();
  open.push(hypervisor);
  const vm = await hypervisor.create({ kernel: new Uint8Array(1), shares });
  return { vm, trees: workers[0]!.trees };
}

const DROP: VmShare = { tag: 'drop', kind: 'memory', shared: true };

describe('the shares of a VM', () => {
  it('are found by their tags', async () => {
    const { vm } = await vmWith(DROP, { tag: 'w', kind: 'memory' });
    expect([...vm.shares.keys()]).toEqual(['drop', 'w']);
    expect(vm.shares.get('drop')?.tag).toBe('drop');
  });

  it('take bytes and blobs, before and after a start, and the machine sees them', async () => {
    const { vm, trees } = await vmWith(DROP);
    const drop = vm.shares.get('drop')!;
    await drop.add([{ path: 'bytes', contents: Uint8Array.of(104, 105) }]);
    await vm.start();
    await drop.add([{ path: 'deep/er/blob', contents: new Blob(['from a blob']) }]);
    const tree = trees.get('drop')!;
    expect(await (await readFile(tree, 'bytes')).text()).toBe('hi');
    expect(await (await readFile(tree, 'deep/er/blob')).text()).toBe('from a blob');
    // The guest must look again: it may not take a name for missing because it was a minute ago.
    expect(tree.sharing).toBe('shared');
  });

  it('put the newer file in the place of the older', async () => {
    const { vm } = await vmWith(DROP);
    const drop = vm.shares.get('drop')!;
    await drop.add([{ path: 'a', contents: new Blob(['old']) }]);
    await drop.add([{ path: 'a', contents: new Blob(['newer']) }]);
    expect(await drop.list()).toMatchObject([{ path: 'a', size: 5 }]);
    expect(await (await drop.read('a')).text()).toBe('newer');
  });

  it('hand out what the guest wrote, and tell that there is something', async () => {
    const { vm, trees } = await vmWith(DROP);
    const drop = vm.shares.get('drop')!;
    await drop.makeDirectory('out');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const told: string[] = [];
    vm.on('share', ({ tag }) => told.push(tag));
    const tree = trees.get('drop') as MemoryTree;
    const out = tree.lookup(tree.root, 'out')!.inode;
    const { inode } = tree.makeNode(out, 'result', { mode: 0o100644, uid: 0, gid: 0 });
    for (let at = 0; at < 1000; at++) tree.write(inode, at, [Buffer.from('x')], { killPrivileges: false });
    await eventually(() => told.length > 0);
    expect(told).toEqual(['drop']);
    expect(await drop.list('out')).toMatchObject([{ path: 'result', size: 1000 }]);
    expect(await (await drop.read('out/result')).text()).toBe('x'.repeat(1000));
  });

  it('say which file cannot be used, and why', async () => {
    const { vm } = await vmWith(DROP, { tag: 'own', kind: 'memory' }, { tag: 'f', kind: 'files', files: [] });
    const drop = vm.shares.get('drop')!;
    await drop.makeDirectory('out');
    const contents = Uint8Array.of(1);
    await expect(drop.read('nothing')).rejects.toThrow(
      new FileError('nothing in share drop: there is no such file or directory'),
    );
    await expect(drop.add([{ path: '../escape', contents }])).rejects.toThrow(
      /^..\/escape in share drop: .*no path/,
    );
    await expect(drop.add([{ path: 'out', contents }])).rejects.toThrow(/^out in share drop: /);
    await expect(drop.list('none')).rejects.toThrow(FileError);
    for (const tag of ['own', 'f']) {
      await expect(vm.shares.get(tag)!.add([{ path: 'x', contents }])).rejects.toThrow('shared: true');
    }
  });

  it('are full at their capacity, and say so', async () => {
    const { vm, trees } = await vmWith({ ...DROP, capacity: 4096 } as VmShare);
    const drop = vm.shares.get('drop')!;
    const files = Array.from({ length: 100 }, (_, index) => ({
      path: `${index}`,
      contents: new Blob(['x']),
    }));
    await expect(drop.add(files)).rejects.toThrow(/ENOSPC/);
    expect((await drop.list()).length).toBeGreaterThan(0);
    expect(trees.get('drop')!.readonly).toBe(false);
  });

  it('are gone with the VM', async () => {
    const { vm } = await vmWith(DROP);
    const drop = vm.shares.get('drop')!;
    await vm.destroy();
    await expect(drop.list()).rejects.toThrow(StateError);
    await expect(drop.add([])).rejects.toThrow(StateError);
  });
});
