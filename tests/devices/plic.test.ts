import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PLIC_CLAIM,
  PLIC_CONTEXT,
  PLIC_CONTEXT_STRIDE,
  PLIC_ENABLE,
  PLIC_ENABLE_STRIDE,
  PLIC_PENDING,
  PLIC_SOURCES,
  Plic,
} from '../../src/devices/plic.ts';

const thresholdOf = (context: number) => PLIC_CONTEXT + context * PLIC_CONTEXT_STRIDE;
const claimOf = (context: number) => thresholdOf(context) + PLIC_CLAIM;
const enableOf = (context: number, id: number) =>
  PLIC_ENABLE + context * PLIC_ENABLE_STRIDE + Math.floor(id / 32) * 4;

function make() {
  const wires = [false, false];
  const plic = new Plic([
    (level) => {
      wires[0] = level;
    },
    (level) => {
      wires[1] = level;
    },
  ]);
  const enable = (context: number, id: number, on = true) => {
    const at = enableOf(context, id);
    const old = plic.read(at, 4);
    plic.write(at, 4, on ? old | (1 << (id % 32)) : old & ~(1 << (id % 32)));
  };
  return { plic, wires, enable };
}

/** The specification in sets and maps. */
class Model {
  priority = new Map<number, number>();
  level = new Set<number>();
  pending = new Set<number>();
  inService = new Set<number>();
  enabled = [new Set<number>(), new Set<number>()];
  threshold = [0, 0];

  candidates(context: number) {
    return [...this.pending]
      .filter((id) => this.enabled[context]!.has(id) && (this.priority.get(id) ?? 0) > 0)
      .sort((a, b) => (this.priority.get(b) ?? 0) - (this.priority.get(a) ?? 0) || a - b);
  }
  wire(context: number) {
    return this.candidates(context).some((id) => (this.priority.get(id) ?? 0) > this.threshold[context]!);
  }
  setLevel(id: number, level: boolean) {
    const rises = level && !this.level.has(id);
    if (level) this.level.add(id);
    else this.level.delete(id);
    if (rises && !this.inService.has(id)) this.pending.add(id);
  }
  claim(context: number) {
    const id = this.candidates(context)[0] ?? 0;
    if (id) {
      this.pending.delete(id);
      this.inService.add(id);
    }
    return id;
  }
  complete(context: number, id: number) {
    if (!this.enabled[context]!.has(id) || !this.inService.delete(id)) return;
    if (this.level.has(id)) this.pending.add(id);
  }
}

// Few sources, at the edges of words, so that commands meet.
const source = fc.constantFrom(1, 2, 31, 32, 63, 64, 95, 96);
const context = fc.constantFrom(0, 1);
const command = fc.oneof(
  fc.record({ do: fc.constant('priority' as const), id: source, value: fc.nat(9) }),
  fc.record({ do: fc.constant('enable' as const), id: source, context, on: fc.boolean() }),
  fc.record({ do: fc.constant('threshold' as const), context, value: fc.nat(7) }),
  fc.record({ do: fc.constant('level' as const), id: source, on: fc.boolean() }),
  fc.record({ do: fc.constant('claim' as const), context }),
  fc.record({ do: fc.constant('complete' as const), context, id: fc.oneof(source, fc.nat(200)) }),
);

describe('PLIC', () => {
  it('behaves as the specification in any sequence of commands', () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 20, maxLength: 120 }), (commands) => {
        const { plic, wires, enable } = make();
        const model = new Model();
        for (const c of commands) {
          if (c.do === 'priority') {
            plic.write(c.id * 4, 4, c.value);
            model.priority.set(c.id, c.value & 7);
          } else if (c.do === 'enable') {
            enable(c.context, c.id, c.on);
            if (c.on) model.enabled[c.context]!.add(c.id);
            else model.enabled[c.context]!.delete(c.id);
          } else if (c.do === 'threshold') {
            plic.write(thresholdOf(c.context), 4, c.value);
            model.threshold[c.context] = c.value;
          } else if (c.do === 'level') {
            plic.source(c.id)(c.on);
            model.setLevel(c.id, c.on);
          } else if (c.do === 'claim') {
            expect(plic.read(claimOf(c.context), 4)).toBe(model.claim(c.context));
          } else {
            plic.write(claimOf(c.context), 4, c.id);
            model.complete(c.context, c.id);
          }
          expect(wires).toEqual([model.wire(0), model.wire(1)]);
          for (const id of [1, 31, 32, 96]) {
            const word = plic.read(PLIC_PENDING + Math.floor(id / 32) * 4, 4);
            expect(((word >>> (id % 32)) & 1) === 1).toBe(model.pending.has(id));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a forwarded request pending when its wire falls', () => {
    const { plic, wires, enable } = make();
    plic.write(10 * 4, 4, 1);
    enable(1, 10);
    plic.source(10)(true);
    plic.source(10)(false);
    expect(wires).toEqual([false, true]);
    expect(plic.read(claimOf(1), 4)).toBe(10);
    plic.write(claimOf(1), 4, 10);
    expect(wires).toEqual([false, false]);
  });

  it('claims a source whatever the threshold, but raises the wire only above it', () => {
    const { plic, wires, enable } = make();
    plic.write(3 * 4, 4, 2);
    plic.write(thresholdOf(0), 4, 2);
    enable(0, 3);
    plic.source(3)(true);
    expect(wires[0]).toBe(false);
    expect(plic.read(claimOf(0), 4)).toBe(3);
  });

  it('has no source 0 and none above 96', () => {
    const { plic } = make();
    for (const id of [0, PLIC_SOURCES + 1, -1, 1.5]) expect(() => plic.source(id)).toThrow(RangeError);
    plic.write(0, 4, 7);
    expect(plic.read(0, 4)).toBe(0);
    for (const word of [0, 1, 2, 3]) plic.write(PLIC_ENABLE + word * 4, 4, 0xffffffff);
    expect([0, 1, 2, 3].map((word) => plic.read(PLIC_ENABLE + word * 4, 4) >>> 0)).toEqual([
      0xfffffffe, 0xffffffff, 0xffffffff, 1,
    ]);
  });

  it('does not claim on a read of part of the register', () => {
    const { plic, enable } = make();
    plic.write(5 * 4, 4, 1);
    enable(0, 5);
    plic.source(5)(true);
    expect(plic.read(claimOf(0), 1)).toBe(0);
    expect(plic.read(claimOf(0), 2)).toBe(0);
    expect(plic.read(claimOf(0), 4)).toBe(5);
  });

  it('forgets everything but the wires at reset', () => {
    const { plic, wires, enable } = make();
    plic.write(7 * 4, 4, 3);
    enable(0, 7);
    plic.source(7)(true);
    plic.reset();
    expect(wires).toEqual([false, false]);
    expect(plic.read(7 * 4, 4)).toBe(0);
    plic.write(7 * 4, 4, 3);
    enable(0, 7);
    expect(wires[0]).toBe(true);
  });
});
