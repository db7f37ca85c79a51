// Runs a machine to its end and hashes what it leaves: plain JavaScript, for Node and for a page alike.

/**
 * @typedef {import('../../src/machine/machine-types.ts').MachineConfig} MachineConfig
 * @typedef {import('../../src/core/core-types.ts').CoreApi} CoreApi
 * @typedef {{ hash: string, instructions: number, output: string, reason: string, translated: number }} Ending
 */

const PRIME = 0x01000193;

/** A hash of 64 bits over 32-bit words, in two lanes of FNV's kind. */
class Hash {
  one = 0x811c9dc5;
  two = 0x9e3779b9;

  /** @param {number} word */
  add(word) {
    this.one = Math.imul(this.one ^ word, PRIME);
    this.two = Math.imul((this.two << 5) ^ (this.two >>> 27) ^ word, 0x85ebca6b);
  }
  /** @param {bigint} value */
  addLong(value) {
    this.add(Number(value & 0xffffffffn));
    this.add(Number(value >> 32n));
  }
  toString() {
    return [this.one, this.two].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/**
 * Every register and CSR of the hart, and all of RAM.
 * @param {CoreApi} core
 */
export function stateHash({ hart, ram }) {
  const hash = new Hash();
  hash.addLong(hart.pc);
  hash.add(hart.privilege);
  for (let index = 0; index < 32; index++) {
    hash.addLong(hart.getX(index));
    hash.addLong(hart.getF(index));
  }
  hash.addLong(hart.mtimecmp);
  hash.addLong(hart.stimecmp);
  for (let csr = 0; csr < 0x1000; csr++) hash.addLong(hart.readCsr(csr) ?? 0n);
  for (const word of new Int32Array(ram.buffer, ram.byteOffset, ram.length >> 2)) hash.add(word);
  return hash.toString();
}

/**
 * @param {typeof import('../../src/machine/machine.ts').Machine} Machine
 * @param {typeof import('../../src/core/core.ts').Core} Core
 * @param {MachineConfig} config
 * @param {(slice: number) => number} sliceMs how long each slice is
 * @param {(machine: import('../../src/machine/machine.ts').Machine) => void} [prepare] before the first slice
 * @returns {Promise<Ending>}
 */
export async function runToEnd(Machine, Core, config, sliceMs, prepare = () => {}) {
  /** @type {CoreApi | undefined} */
  let core;
  const machine = new Machine(config, (module, options) => {
    core = Core.create(module, options);
    return core;
  });
  prepare(machine);
  let output = '';
  machine.onConsoleOutput = (bytes) => {
    output += String.fromCharCode(...bytes);
  };
  for (let slice = 0; ; slice++) {
    const result = machine.runSlice(sliceMs(slice));
    if (result.state === 'stopped' && core) {
      const { instructions, translatedInstructions } = core.counters();
      const translated = translatedInstructions / instructions;
      return {
        hash: stateHash(core),
        instructions,
        output,
        reason: JSON.stringify(result.reason),
        translated,
      };
    }
    if (result.state === 'idle')
      await new Promise((done) => setTimeout(done, Math.min(result.wakeInMs, 100)));
  }
}
