import { expect, it } from 'vitest';
import { VmGeneration } from '../../src/devices/vm-generation.ts';

it('the generation of a machine is sixteen bytes, read in any size, and another one when it is renewed', () => {
  let next = 0;
  const levels: boolean[] = [];
  const device = new VmGeneration(
    (bytes) => Uint8Array.from({ length: bytes }, () => next++),
    (level) => levels.push(level),
  );
  expect(device.read(0, 4)).toBe(0x03020100);
  expect(device.read(12, 4)).toBe(0x0f0e0d0c);
  expect(device.read(5, 1)).toBe(5);
  expect(device.read(16, 4)).toBe(0);
  device.write();
  device.reset();
  expect(device.read(0, 2)).toBe(0x0100);
  expect(levels).toEqual([]);
  device.renew();
  expect(device.read(0, 4)).toBe(0x13121110);
  expect(levels).toEqual([true, false]);
});
