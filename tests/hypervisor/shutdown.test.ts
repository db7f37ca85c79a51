import { afterEach, describe, expect, it } from 'vitest';
import { StateError, TimeoutError } from '../../src/hypervisor/errors.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { FakeMachine } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const kernel = new Uint8Array([1, 2, 3]);
const open: Hypervisor[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((hypervisor) => hypervisor.destroyAll()));
});

/** A guest that answers the keys of magic SysRq as Linux does, with this sysctl kernel.sysrq. */
async function linux(allowed: string) {
  const heard: string[] = [];
  let off = false;
  const { hypervisor, workers } = fakeHypervisor(() =>
    off ? { state: 'stopped', reason: { kind: 'poweroff' } } : { state: 'idle', wakeInMs: Infinity },
  );
  open.push(hypervisor);
  const vm = await hypervisor.create({ kernel, name: 'guest' });
  const machine: FakeMachine = workers[0]!.machine;
  const names: Record<string, string> = { e: 'Terminate All Tasks', s: 'Emergency Sync', o: 'Power Off' };
  machine.onBreak = (key) => {
    heard.push(key);
    if (!allowed.includes(key)) machine.print('sysrq: This sysrq operation is disabled.\r\n');
    else {
      machine.print(`sysrq: ${names[key] ?? key}\r\n`);
      off ||= key === 'o';
    }
  };
  await vm.start();
  return { vm, heard };
}

describe('the power button', () => {
  it('ends programs, writes what is to be written and powers off', async () => {
    const { vm, heard } = await linux('esuo');
    expect(await vm.shutdown({ graceMs: 20 })).toEqual({ kind: 'poweroff' });
    expect(heard).toEqual(['e', 's', 'u', 'o']);
    expect(vm.state).toBe('stopped');
  });

  it("does not wait for programs where the guest's settings keep them from being told", async () => {
    const { vm, heard } = await linux('suo');
    const before = performance.now();
    await vm.shutdown({ graceMs: 30_000, timeoutMs: 60_000 });
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(heard).toEqual(['e', 's', 'u', 'o']);
  });

  it('says that a guest does not follow it, and leaves it running', async () => {
    const { vm } = await linux('');
    await expect(vm.shutdown({ timeoutMs: 1000 })).rejects.toThrow(TimeoutError);
    await expect(vm.shutdown({ timeoutMs: 1000 })).rejects.toThrow(/kernel.sysrq forbids it/);
    expect(vm.state).toBe('running');
  });

  it('says that nothing was heard of a guest that does not listen, or pulls the plug when it may', async () => {
    const { hypervisor } = fakeHypervisor();
    open.push(hypervisor);
    const vm = await hypervisor.create({ kernel });
    await vm.start();
    await expect(vm.shutdown({ timeoutMs: 600 })).rejects.toThrow(/has not powered off 0.6 s after/);
    expect(vm.state).toBe('running');
    expect(await vm.shutdown({ timeoutMs: 600, force: true })).toEqual({ kind: 'poweroff' });
  });

  it('is one of a machine that runs', async () => {
    const { hypervisor } = fakeHypervisor();
    open.push(hypervisor);
    const vm = await hypervisor.create({ kernel });
    await expect(vm.shutdown()).rejects.toThrow(StateError);
  });
});
