/** What stands in brackets, and what a backslash makes of the character after it. */
import type { Scanner } from './scanner.js';
import { escapedSet, namedSet, rangeText, Untranslatable } from './sets.js';

interface ClassFlags {
  readonly i: boolean;
  readonly x: boolean;
}

/** Deeper nesting is refused: it could exhaust the stack. */
const MAX_DEPTH = 200;

const CHARS: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
  ['a', '\x07'],
  ['e', '\x1b'],
]);

export function deeper(depth: number): number {
  if (depth === MAX_DEPTH) throw new Untranslatable(`it is nested more than ${MAX_DEPTH} deep`);
  return depth + 1;
}

/** After a backslash: a set of characters, or null and nothing is read. */
export function escapedSetIn(scanner: Scanner, anyCase: boolean): string | null {
  const letter = scanner.peek() ?? '';
  const found = scanner.takeMatch(/^[pP](?:\{([^}]*)\}|([A-Z]))/);
  if (found !== null) {
    const set = namedSet(found[1] ?? found[2] ?? '', anyCase);
    return letter === 'P' ? `[^${set}]` : set;
  }
  const set = escapedSet(letter);
  if (set !== null) scanner.next();
  return set;
}

/** After a backslash: the one character it stands for. */
export function escapedChar(scanner: Scanner): string {
  const pair = scanner.takeMatch(/^u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/);
  if (pair !== null) return String.fromCharCode(parseInt(pair[1] ?? '', 16), parseInt(pair[2] ?? '', 16));
  const hex = scanner.takeMatch(/^(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\})/);
  if (hex !== null) return charOf(parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16));
  const octal = scanner.takeMatch(/^0([0-3][0-7]{2}|[0-7]{1,2})/)?.[1];
  if (octal !== undefined) return charOf(parseInt(octal, 8));
  const control = scanner.takeMatch(/^c([^])/)?.[1];
  if (control !== undefined) return charOf(control.charCodeAt(0) ^ 64);
  const { char } = scanner.next();
  const known = CHARS.get(char);
  if (known === undefined && /[A-Za-z0-9]/.test(char))
    throw new Untranslatable(`\\${char} is not supported here`);
  return known ?? char;
}

/** After its opening bracket. */
export function charClass(scanner: Scanner, flags: ClassFlags, depth: number): string {
  const inside = deeper(depth);
  const negated = scanner.take('^') ? '^' : '';
  const operands: string[] = [];
  let items = '';
  let afterNested = false;
  for (;;) {
    if (flags.x) scanner.skipComments();
    if (scanner.atEnd) throw new Untranslatable('a [ has no ] after it');
    if (scanner.peek() === ']' && (items !== '' || operands.length > 0)) break;
    if (scanner.take('&&')) {
      if (items === '' || scanner.peek() === '&') throw new Untranslatable('&& needs a set on both sides');
      operands.push(items);
      items = '';
      afterNested = false;
    } else if (scanner.take('[')) {
      items += charClass(scanner, flags, inside);
      afterNested = true;
    } else {
      if (operands.length > 0 && afterNested)
        throw new Untranslatable('after && put all that follows into one pair of brackets');
      items += classItem(scanner, flags);
    }
  }
  scanner.next();
  if (items === '') throw new Untranslatable('&& needs a set on both sides');
  if (operands.length === 0) return `[${negated}${items}]`;
  return `[${negated}${[...operands, items].map((operand) => `[${operand}]`).join('&&')}]`;
}

function classItem(scanner: Scanner, flags: ClassFlags): string {
  const escaped = scanner.take('\\');
  const set = escaped ? escapedSetIn(scanner, flags.i) : null;
  if (set !== null) return set;
  const from = escaped ? escapedChar(scanner) : scanner.next().char;
  const after = scanner.peek(1);
  if (scanner.peek() !== '-' || after === ']' || after === '[') return rangeText(from, from, flags.i);
  scanner.next();
  const to = scanner.take('\\') ? escapedChar(scanner) : scanner.next().char;
  return rangeText(from, to, flags.i);
}

function charOf(code: number): string {
  if (code > 0x10ffff) throw new Untranslatable(`there is no character ${code.toString(16)}`);
  return String.fromCodePoint(code);
}
