// Expressions of assembly source: parsed once, evaluated when the symbols they need are known.
import { AssemblyError } from './assembly-error.ts';

/** A number, or a place in a section (an offset until the sections have addresses). */
export interface Value {
  readonly section?: string;
  readonly value: bigint;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'relocation'; readonly name: string; readonly operand: Expression };

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|0[bB][01]+(?![bf\w])|[0-9]+[bf](?!\w)|[0-9]+)|('(?:\\.|[^\\])')|(%[a-z_]+)|([A-Za-z_.$][\w.$]*)|(<<|>>|[-+*/%&|^~()!]))/y;

/** Values of the escapes in strings and characters. */
const ESCAPES: Readonly<Record<string, number>> = {
  ...{ n: 10, t: 9, r: 13, b: 8, f: 12, v: 11, a: 7, e: 27, '0': 0, '\\': 92, "'": 39, '"': 34 },
};

/** Bytes of the inside of a quoted string, in UTF-8. */
export function unescapeString(text: string, line: number): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [piece, octal, hex, single] of text.matchAll(
    /\\([0-7]{1,3})|\\x([0-9a-fA-F]{1,2})|\\(.)|[^\\]+/gs,
  )) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (single !== undefined) {
      const value = ESCAPES[single];
      if (value === undefined)
        throw new AssemblyError(line, `unknown escape \\${single} in a string: use \\xNN`);
      bytes.push(value);
    } else bytes.push(...encoder.encode(piece));
  }
  return Uint8Array.from(bytes);
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  ...{ '|': 1, '^': 2, '&': 3, '<<': 4, '>>': 4, '+': 5, '-': 5, '*': 6, '/': 6, '%': 6 },
};

// %far_lo(symbol) is ours: the lower half of the distance from the instruction before, an auipc with %pcrel_hi.
const RELOCATIONS = ['%hi', '%lo', '%pcrel_hi', '%pcrel_lo', '%far_lo'];

/** Parses a whole expression. @throws AssemblyError */
export function parseExpression(text: string, line: number): Expression {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const source = text.trim();
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null)
      throw new AssemblyError(line, `cannot read "${source.slice(at).trim()}" in an expression`);
    // %hi and the like, unless it is the remainder operator in front of a name
    const relocation = match[3];
    const afterValue = tokens.length > 0 && /^[\w.$')]/.test(tokens.at(-1) ?? '');
    if (relocation !== undefined && (afterValue || !RELOCATIONS.includes(relocation))) {
      if (!afterValue)
        throw new AssemblyError(line, `unknown ${relocation}: there are ${RELOCATIONS.join(', ')}`);
      tokens.push('%');
      TOKEN.lastIndex -= relocation.length - 1;
    } else tokens.push(match[0].trim());
  }
  let at = 0;
  const fail = (): never => {
    const found = tokens[at] === undefined ? 'the end' : `"${tokens[at]}"`;
    throw new AssemblyError(line, `expected a number, a symbol or "(" but found ${found} in "${source}"`);
  };
  const primary = (): Expression => {
    const token = tokens[at] ?? fail();
    at++;
    if (/^[0-9]+[bf]$/.test(token)) return { kind: 'symbol', name: token };
    if (/^[0-9]/.test(token)) return { kind: 'number', value: BigInt(token) };
    if (token.startsWith("'")) {
      const [byte = 0, ...more] = unescapeString(token.slice(1, -1), line);
      if (more.length > 0) throw new AssemblyError(line, `${token} is more than one byte`);
      return { kind: 'number', value: BigInt(byte) };
    }
    if (/^[A-Za-z_.$]/.test(token)) return { kind: 'symbol', name: token };
    if (token === '-' || token === '+' || token === '~' || token === '!') {
      return { kind: 'unary', operator: token, operand: primary() };
    }
    const relocation = token.startsWith('%') && token.length > 1;
    if (relocation && tokens[at++] !== '(') throw new AssemblyError(line, `write ${token}(symbol)`);
    if (relocation || token === '(') {
      const inner = binary(0);
      if (tokens[at++] !== ')') throw new AssemblyError(line, `a ")" is missing in "${source}"`);
      return relocation ? { kind: 'relocation', name: token, operand: inner } : inner;
    }
    at--;
    return fail();
  };
  const binary = (least: number): Expression => {
    let left = primary();
    for (;;) {
      const operator = tokens[at] ?? '';
      const precedence = PRECEDENCE[operator];
      if (precedence === undefined || precedence <= least) return left;
      at++;
      left = { kind: 'binary', operator, left, right: binary(precedence) };
    }
  };
  const expression = binary(0);
  if (at < tokens.length) throw new AssemblyError(line, `"${tokens[at]}" is not expected in "${source}"`);
  return expression;
}

/** What an expression may ask while it is evaluated. */
export interface Scope {
  readonly line: number;
  /** Value of a symbol (`.` and numeric labels too). @throws AssemblyError when it is not known (yet) */
  symbol(name: string): Value;
  /** Value of %hi(…) and the like. */
  relocation(name: string, operand: Expression): bigint;
}

/** Evaluates to a number or a place. @throws AssemblyError */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
      return { value: expression.value };
    case 'symbol':
      return scope.symbol(expression.name);
    case 'relocation':
      return { value: scope.relocation(expression.name, expression.operand) };
    case 'unary': {
      const value = asNumber(evaluate(expression.operand, scope), scope.line);
      const results: Record<string, bigint> = {
        '-': -value,
        '+': value,
        '~': ~value,
        '!': value === 0n ? 1n : 0n,
      };
      return { value: results[expression.operator] ?? value };
    }
    case 'binary':
      return combine(
        expression.operator,
        evaluate(expression.left, scope),
        evaluate(expression.right, scope),
        scope.line,
      );
  }
}

function asNumber(value: Value, line: number): bigint {
  if (value.section === undefined) return value.value;
  throw new AssemblyError(
    line,
    'an address can only be added to and subtracted from: here a plain number is needed',
  );
}

function combine(operator: string, left: Value, right: Value, line: number): Value {
  if (operator === '+' && (left.section === undefined || right.section === undefined)) {
    return place(left.section ?? right.section, left.value + right.value);
  }
  if (operator === '-') {
    if (left.section === right.section) return { value: left.value - right.value };
    if (right.section === undefined) return place(left.section, left.value - right.value);
  }
  const a = asNumber(left, line);
  const b = asNumber(right, line);
  if ((operator === '/' || operator === '%') && b === 0n) throw new AssemblyError(line, 'division by zero');
  if ((operator === '<<' || operator === '>>') && (b < 0n || b > 63n)) {
    throw new AssemblyError(line, `a shift by ${b} is not between 0 and 63`);
  }
  switch (operator) {
    case '*':
      return { value: a * b };
    case '/':
      return { value: a / b };
    case '%':
      return { value: a % b };
    case '&':
      return { value: a & b };
    case '|':
      return { value: a | b };
    case '^':
      return { value: a ^ b };
    case '<<':
      return { value: a << b };
    default:
      return { value: a >> b };
  }
}

const place = (section: string | undefined, value: bigint): Value =>
  section === undefined ? { value } : { section, value };
