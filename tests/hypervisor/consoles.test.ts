import { describe, expect, it } from 'vitest';
import { eventually, FakeTerminal } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const KERNEL = new Uint8Array(8);

describe.each([
  ['shared memory', true],
  ['messages', false],
])('consoles beside the serial one, through %s', (_, shared) => {
  async function setUp(slice?: Parameters<typeof fakeHypervisor>[0]) {
    const terminals = [new FakeTerminal(), new FakeTerminal()];
    const { hypervisor, workers } = fakeHypervisor(slice, {
      shared,
      onCreate: () => {
        workers[0]!.machine.terminals = terminals;
      },
    });
    const vm = await hypervisor.create({ kernel: KERNEL, consoles: 2 });
    const heard = [0, 1, 2].map((index) => {
      const console = { text: '' };
      vm.console(index).onData((data) => {
        console.text += new TextDecoder().decode(data);
      });
      return console;
    });
    return { vm, terminals, heard, config: workers[0]!.config, machine: workers[0]!.machine };
  }

  it('carry bytes both ways, each its own', async () => {
    const { vm, terminals, heard, machine, config } = await setUp();
    expect(config?.consoles).toBe(2);
    machine.print('serial');
    terminals[0]!.print('first');
    terminals[1]!.print('second');
    vm.console(1).write('one');
    vm.console(2).write('two');
    await eventually(
      () => heard.every(({ text }) => text !== '') && terminals.every(({ typed }) => typed !== ''),
    );
    expect(heard.map(({ text }) => text)).toEqual(['serial', 'first', 'second']);
    expect(terminals.map(({ typed }) => typed)).toEqual(['one', 'two']);
    expect(machine.typed).toEqual([]);
    await vm.destroy();
  });

  it('are resized, each its own, and the serial one is not', async () => {
    const { vm, terminals } = await setUp();
    vm.console(0).resize(80, 24);
    vm.console(2).resize(100, 30);
    vm.console(2).resize(101, 30);
    await eventually(() => terminals[1]!.sizes.length === 2);
    expect(terminals.map(({ sizes }) => sizes)).toEqual([
      [],
      [
        [100, 30],
        [101, 30],
      ],
    ]);
    await vm.destroy();
  });

  it('make the guest wait while one of them is not read', async () => {
    const { vm, terminals, machine } = await setUp(() => ({ state: 'running' }));
    let letIn = () => {};
    const wait = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    vm.console(2).onData(() => wait);
    await vm.start();
    for (let count = 0; count < 40; count++) terminals[1]!.print('x'.repeat(1 << 15));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { slices } = machine;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(machine.slices).toBe(slices);
    letIn();
    await eventually(() => machine.slices > slices);
    await vm.destroy();
  });

  it('have been heard to the end when the machine has stopped', async () => {
    const { vm, terminals, heard } = await setUp((machine) => {
      for (const terminal of machine.terminals) terminal.print('last words '.repeat(1000));
      return { state: 'stopped', reason: { kind: 'poweroff' } };
    });
    expect(terminals).toHaveLength(2);
    await vm.start();
    await vm.wait();
    expect(heard.map(({ text }) => text.length)).toEqual([0, 11_000, 11_000]);
    await vm.destroy();
  });
});
