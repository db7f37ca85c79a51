import { describe, expect, it } from 'vitest';
import type { SliceResult, StopReason } from '../../src/machine/machine-types.ts';
import type { ByteSender } from '../../src/worker/byte-channel.ts';
import { OUTPUT_LIMIT, VmDriver } from '../../src/worker/vm-driver.ts';
import { eventually, FakeMachine } from './fake-machine.ts';

class FakeSender implements ByteSender {
  undelivered = 0;
  sent = 0;
  onDrain: (() => void) | undefined;
  send(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.undelivered += bytes.length;
  }
  close(): void {}
}

function drive(slice: (machine: FakeMachine) => SliceResult, noReboot = false) {
  const machine = new FakeMachine(slice);
  const output = new FakeSender();
  const log: string[] = [];
  const reasons: StopReason[] = [];
  const driver = new VmDriver(
    machine,
    [output],
    {
      onStopped: (reason) => void reasons.push(reason),
      onFailed: (error) => void log.push(`failed ${error}`),
      onPowerOn: () => {},
      onReset: () => void log.push('reset'),
      onStats: () => void log.push('stats'),
    },
    { noReboot, statsIntervalMs: 1e9 },
  );
  return { machine, output, driver, log, reasons };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the driver of a machine', () => {
  it('runs no slice before start and none while the guest idles', async () => {
    const { machine, driver } = drive(() => ({ state: 'idle', wakeInMs: Infinity }));
    await pause(5);
    expect(machine.slices).toBe(0);
    driver.start();
    await pause(50);
    expect(machine.slices).toBe(1);
    driver.powerOff();
  });

  it('holds guest and time still for an action, whatever it did before', async () => {
    const { machine, driver } = drive(() => ({ state: 'running' }));
    driver.start();
    await eventually(() => machine.slices > 2);
    const during = await driver.whileHeld(async () => {
      const { slices } = machine;
      driver.input(new Uint8Array([65]));
      await pause(20);
      return machine.slices - slices;
    });
    expect(during).toBe(0);
    const { slices } = machine;
    await eventually(() => machine.slices > slices);
    expect(machine.clock).toEqual(['suspend', 'resume']);
    driver.powerOff();
  });

  it('a guest that is paused while it is held stays paused, one that is resumed goes on at the end', async () => {
    const { machine, driver } = drive(() => ({ state: 'running' }));
    driver.start();
    await driver.whileHeld(async () => driver.pause());
    const { slices } = machine;
    await pause(20);
    expect(machine.slices).toBe(slices);
    expect(machine.clock).toEqual(['suspend', 'suspend']);
    await driver.whileHeld(async () => {
      driver.resume();
      await pause(10);
      expect(machine.slices).toBe(slices);
    });
    await eventually(() => machine.slices > slices);
    expect(machine.clock).toEqual(['suspend', 'suspend', 'resume']);
    driver.powerOff();
  });

  it('an action that fails lets the guest go on', async () => {
    const { machine, driver } = drive(() => ({ state: 'running' }));
    driver.start();
    const failing = driver.whileHeld(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    const { slices } = machine;
    await eventually(() => machine.slices > slices);
    driver.powerOff();
  });

  it('a machine that stands by runs from start on, without a reset', async () => {
    const { machine, driver } = drive(() => ({ state: 'idle', wakeInMs: Infinity }));
    driver.standBy();
    await pause(10);
    expect(machine.slices).toBe(0);
    driver.start();
    await eventually(() => machine.slices === 1);
    expect(machine.resets).toBe(0);
    expect(machine.clock).toEqual(['suspend', 'resume']);
    driver.powerOff();
  });

  it('wakes an idle guest within 5 ms of input', async () => {
    let woke = 0;
    const { machine, driver } = drive((machine) => {
      if (machine.typed.length > 0 && woke === 0) woke = performance.now();
      return { state: 'idle', wakeInMs: Infinity };
    });
    driver.start();
    await pause(20);
    const before = performance.now();
    driver.input(new Uint8Array([65]));
    await eventually(() => woke > 0);
    expect(woke - before).toBeLessThan(5);
    expect(machine.typed).toEqual([65]);
    driver.powerOff();
  });

  it('sleeps until the time the machine names', async () => {
    const times: number[] = [];
    const { driver } = drive(() => {
      times.push(performance.now());
      return { state: 'idle', wakeInMs: 30 };
    });
    driver.start();
    await eventually(() => times.length === 3);
    driver.powerOff();
    expect(times[2]! - times[0]!).toBeGreaterThan(55);
  });

  it('serves other tasks between the slices of a busy guest', async () => {
    const { machine, driver } = drive(() => ({ state: 'running' }));
    driver.start();
    await pause(10);
    expect(machine.slices).toBeGreaterThan(1);
    driver.pause();
    const { slices } = machine;
    await pause(10);
    expect(machine.slices).toBe(slices);
    driver.resume();
    await eventually(() => machine.slices > slices);
    driver.powerOff();
  });

  it('makes a guest that floods its console wait, and lets it go on when the page has caught up', async () => {
    const { machine, output, driver } = drive((machine) => {
      machine.onConsoleOutput(new Uint8Array(100_000));
      return { state: 'running' };
    });
    driver.start();
    await eventually(() => output.undelivered > OUTPUT_LIMIT);
    const { slices } = machine;
    await pause(20);
    expect(machine.slices).toBe(slices);
    expect(output.undelivered).toBeLessThan(OUTPUT_LIMIT + 200_000);
    // Control still works: pause, resume, then the drain.
    driver.pause();
    driver.resume();
    await pause(5);
    expect(machine.slices).toBe(slices);
    output.undelivered = 0;
    output.onDrain?.();
    await eventually(() => machine.slices > slices);
    driver.powerOff();
  });

  it("holds the guest's time while it is paused", async () => {
    const { machine, driver } = drive(() => ({ state: 'idle', wakeInMs: Infinity }));
    driver.start();
    driver.pause();
    driver.pause();
    driver.resume();
    driver.pause();
    driver.reset();
    expect(machine.clock).toEqual(['suspend', 'resume', 'suspend', 'resume']);
    driver.powerOff();
  });

  it('does not run an idle guest because its output was taken', async () => {
    const { machine, output, driver } = drive(() => ({ state: 'idle', wakeInMs: Infinity }));
    driver.start();
    await pause(5);
    output.onDrain?.();
    await pause(5);
    expect(machine.slices).toBe(1);
    driver.powerOff();
  });

  it('reports once why the machine stopped, and starts it again from power-on', async () => {
    const { machine, driver, reasons } = drive(() => ({
      state: 'stopped',
      reason: { kind: 'exit', code: 7 },
    }));
    driver.start();
    await eventually(() => reasons.length === 1);
    expect(reasons).toEqual([{ kind: 'exit', code: 7 }]);
    expect(driver.state).toBe('stopped');
    driver.start();
    await eventually(() => reasons.length === 2);
    expect(machine.resets).toBe(1);
  });

  it('follows a reboot, unless told not to', async () => {
    const reboot = (machine: FakeMachine): SliceResult =>
      machine.resets === 0
        ? { state: 'stopped', reason: { kind: 'reboot' } }
        : { state: 'stopped', reason: { kind: 'poweroff' } };
    const follows = drive(reboot);
    follows.driver.start();
    await eventually(() => follows.reasons.length === 1);
    expect(follows.reasons).toEqual([{ kind: 'poweroff' }]);
    expect(follows.log).toContain('reset');
    const stays = drive(reboot, true);
    stays.driver.start();
    await eventually(() => stays.reasons.length === 1);
    expect(stays.reasons).toEqual([{ kind: 'reboot' }]);
  });

  it('reports a machine that throws as failed and stops running it', async () => {
    const { driver, log, machine } = drive(() => {
      throw new Error('broken');
    });
    driver.start();
    await eventually(() => log.includes('failed Error: broken'));
    expect(driver.state).toBe('stopped');
    expect(machine.slices).toBe(1);
  });

  it('stands still after a reset that failed, until one succeeds', async () => {
    const { machine, driver, reasons, log } = drive(() => ({ state: 'running' }));
    driver.start();
    await eventually(() => machine.slices > 1);
    machine.refusal = new Error('damaged');
    expect(() => driver.reset()).toThrow('damaged');
    expect(driver.state).toBe('stopped');
    const { slices } = machine;
    await pause(10);
    expect(machine.slices).toBe(slices);
    expect(() => driver.start()).toThrow('damaged');
    expect(driver.state).toBe('stopped');
    machine.refusal = undefined;
    driver.start();
    await eventually(() => machine.slices > slices);
    expect([reasons, log.filter((line) => line !== 'stats')]).toEqual([[], []]);
    driver.powerOff();
  });
});
