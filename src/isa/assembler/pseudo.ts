// Pseudo-instructions that take several instructions: li, la, call, tail, and loads and stores by symbol.
import { AssemblyError } from './assembly-error.ts';

/** An instruction that a pseudo-instruction becomes; operands are texts that the assembler evaluates in its place. */
export interface Step {
  readonly name: string;
  readonly operands: readonly string[];
}

const step = (name: string, ...operands: (string | bigint)[]): Step => ({
  name,
  operands: operands.map(String),
});

/** The shortest sequence (of addi, lui, addiw, slli) that puts a constant into a register. */
export function loadImmediate(register: string, value: bigint): Step[] {
  const signed = BigInt.asIntN(64, value);
  const low = BigInt.asIntN(12, signed);
  if (signed === low) return [step('addi', register, 'x0', low)];
  if (signed === BigInt.asIntN(32, signed)) {
    const upper = BigInt.asUintN(20, (signed - low) >> 12n);
    const steps = [step('lui', register, upper)];
    if (low !== 0n) steps.push(step('addiw', register, register, low));
    return steps;
  }
  let high = BigInt.asIntN(64, signed - low) >> 12n;
  let shift = 12n;
  while ((high & 1n) === 0n) {
    high >>= 1n;
    shift++;
  }
  const steps = [...loadImmediate(register, high), step('slli', register, register, shift)];
  if (low !== 0n) steps.push(step('addi', register, register, low));
  return steps;
}

const LOADS = ['lb', 'lh', 'lw', 'ld', 'lbu', 'lhu', 'lwu'];
const FLOAT_LOADS = ['flh', 'flw', 'fld'];
const STORES = ['sb', 'sh', 'sw', 'sd', 'fsh', 'fsw', 'fsd'];

/** `__far` is the distance of a symbol from the auipc before it (of 4 bytes): handled by the assembler. */
function far(symbol: string, register: string, second: Step): Step[] {
  return [step('auipc', register, `%pcrel_hi(${symbol})`), second];
}

const lowOf = (symbol: string): string => `%far_lo(${symbol})`;

/**
 * What a pseudo-instruction stands for; undefined when it is none.
 * @param constant evaluates an operand that must be known here
 */
export function expandPseudo(
  name: string,
  operands: readonly string[],
  line: number,
  constant: (text: string) => bigint,
): Step[] | undefined {
  const [first = '', second = '', third = ''] = operands;
  const need = (count: number, usage: string): void => {
    if (operands.length !== count)
      throw new AssemblyError(line, `${name} takes ${count} operand(s): write "${usage}"`);
  };
  switch (name) {
    case 'li': {
      need(2, 'li rd,number');
      const value = constant(second);
      if (value < -(1n << 63n) || value >= 1n << 64n)
        throw new AssemblyError(line, `${value} does not fit in 64 bits`);
      return loadImmediate(first, value);
    }
    case 'la':
    case 'lla':
      need(2, `${name} rd,symbol`);
      return far(second, first, step('addi', first, first, lowOf(second)));
    case 'call': {
      if (operands.length !== 2) need(1, 'call symbol');
      const link = operands.length === 2 ? first : 'x1';
      const symbol = operands.length === 2 ? second : first;
      return far(symbol, link, step('jalr', link, `${lowOf(symbol)}(${link})`));
    }
    case 'tail':
      need(1, 'tail symbol');
      return far(first, 'x6', step('jalr', 'x0', `${lowOf(first)}(x6)`));
    case 'jump':
      need(2, 'jump symbol,register');
      return far(first, second, step('jalr', 'x0', `${lowOf(first)}(${second})`));
  }
  if (LOADS.includes(name) && operands.length === 2 && !second.endsWith(')')) {
    return far(second, first, step(name, first, `${lowOf(second)}(${first})`));
  }
  if ((STORES.includes(name) || FLOAT_LOADS.includes(name)) && operands.length === 3) {
    return far(second, third, step(name, first, `${lowOf(second)}(${third})`));
  }
  return undefined;
}
