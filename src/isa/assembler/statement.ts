// Lines of assembly source as statements: labels, and a directive or an instruction with its operands.
import { AssemblyError } from './assembly-error.ts';

export interface Statement {
  /** Line in the source, from 1. */
  readonly line: number;
  readonly labels: readonly string[];
  /** Mnemonic or directive in lower case; empty when there are only labels. */
  readonly name: string;
  /** Operands, split at commas outside of brackets and quotes, trimmed. */
  readonly operands: readonly string[];
}

/** Splits at a separator outside of quotes and (for commas) brackets. */
function split(text: string, separator: string, line: number): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"' || char === "'") {
      const end = endOfQuote(text, at, line);
      at = end;
    } else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === separator && (depth === 0 || separator === ';')) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim());
}

/** Index of the quote that ends the string or character that starts at `start`. */
function endOfQuote(text: string, start: number, line: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start] && !(text[start] === "'" && at === start + 1)) return at;
  }
  throw new AssemblyError(
    line,
    `a string that starts with ${text.slice(start, start + 12)} does not end on its line`,
  );
}

/** Removes comments: # and // to the end of the line. */
function withoutComment(text: string, line: number): string {
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"' || char === "'") at = endOfQuote(text, at, line);
    else if (char === '#' || (char === '/' && text[at + 1] === '/')) return text.slice(0, at);
  }
  return text;
}

const LABEL = /^\s*([A-Za-z_.$][\w.$]*|[0-9]+)\s*:/;

/** Parses a whole source text. @throws AssemblyError */
export function parseStatements(source: string): Statement[] {
  const statements: Statement[] = [];
  // Block comments become spaces, but keep their line ends.
  const plain = source.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  for (const [index, text] of plain.split('\n').entries()) {
    const line = index + 1;
    for (const part of split(withoutComment(text, line), ';', line)) {
      const labels: string[] = [];
      let rest = part;
      for (let match = LABEL.exec(rest); match !== null; match = LABEL.exec(rest)) {
        labels.push(match[1] ?? '');
        rest = rest.slice(match[0].length);
      }
      const [, name = '', operandText = ''] = /^\s*(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
      if (name === '' && labels.length === 0) continue;
      const trimmed = operandText.trim();
      const operands = trimmed === '' ? [] : split(trimmed, ',', line);
      statements.push({ line, labels, name: name.toLowerCase(), operands });
    }
  }
  return statements;
}
