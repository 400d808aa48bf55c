/** Sets of characters, as they stand inside the brackets of a JavaScript class with the flag `v`. */

/** What cannot be translated; `javaPattern` makes a ConfigError of it. */
export class Untranslatable extends Error {}

const LINE_ENDS = String.raw`\n\r\x85\u2028\u2029`;
const BLANKS = String.raw`\t \xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000`;
/** JavaScript's \s has more. */
const SPACES = String.raw`\t\n\v\f\r `;

/** Written as a group of alternatives, since one of them has two characters. */
export const LINE_BREAK = String.raw`(?:\r\n|[\n\v\f\r\x85\u2028\u2029])`;
export const ANY = String.raw`[^]`;
export const NO_LINE_END = `[^${LINE_ENDS}]`;
export const TEXT_START = `(?<!${ANY})`;
export const TEXT_END = `(?!${ANY})`;
/** Also before the line end that is the last thing in the text. */
export const LAST_LINE_END = String.raw`(?=(?:\r\n|(?<!\r)\n|[\r\x85\u2028\u2029])?(?![^]))`;
export const LINE_START = String.raw`(?:(?<![^])|(?<=[${LINE_ENDS}])(?<!\r(?=\n)))(?=[^])`;
export const LINE_END = String.raw`(?=\r\n|(?<!\r)\n|[\r\x85\u2028\u2029]|(?![^]))`;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['d', '0-9'],
  ['w', 'A-Za-z0-9_'],
  ['s', SPACES],
  ['h', BLANKS],
  ['v', String.raw`\n\v\f\r\x85\u2028\u2029`],
]);

const POSIX: ReadonlyMap<string, string> = new Map([
  ['Lower', 'a-z'],
  ['Upper', 'A-Z'],
  ['ASCII', String.raw`\x00-\x7f`],
  ['Alpha', 'A-Za-z'],
  ['Digit', '0-9'],
  ['Alnum', 'A-Za-z0-9'],
  ['Punct', String.raw`\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e`],
  ['Graph', String.raw`\x21-\x7e`],
  ['Print', String.raw`\x20-\x7e`],
  ['Blank', String.raw`\t `],
  ['Cntrl', String.raw`\x00-\x1f\x7f`],
  ['XDigit', '0-9A-Fa-f'],
  ['Space', SPACES],
  ['javaLowerCase', String.raw`\p{Lowercase}`],
  ['javaUpperCase', String.raw`\p{Uppercase}`],
]);
const CASED = new Set([
  'Lower',
  'Upper',
  'Lu',
  'Ll',
  'Lt',
  'javaLowerCase',
  'javaUpperCase',
  'Lowercase',
  'Uppercase',
]);
const CATEGORY = /^(?:L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?)$/;
/** After `Is`, in any case of letters. */
const BINARY: ReadonlyMap<string, string> = new Map([
  ['ALPHABETIC', 'Alphabetic'],
  ['IDEOGRAPHIC', 'Ideographic'],
  ['LETTER', 'L'],
  ['LOWERCASE', 'Lowercase'],
  ['UPPERCASE', 'Uppercase'],
  ['TITLECASE', 'Lt'],
  ['WHITE_SPACE', 'White_Space'],
  ['PUNCTUATION', 'P'],
  ['CONTROL', 'Cc'],
  ['DIGIT', 'Nd'],
  ['ASSIGNED', 'Assigned'],
]);

/** `\d`, `\H` and the like; null when the letter stands for no set. */
export function escapedSet(letter: string): string | null {
  const set = ESCAPES.get(letter.toLowerCase());
  if (set === undefined) return null;
  return letter === letter.toLowerCase() ? `[${set}]` : `[^${set}]`;
}

/** Of `\p{name}`. */
export function namedSet(name: string, anyCase: boolean): string {
  const set = POSIX.get(name) ?? unicodeSet(name);
  if (set === null) throw new Untranslatable(`\\p{${name}} is not supported here: write its characters out`);
  if (!anyCase || !CASED.has(name.replace(/^Is/, ''))) return `[${set}]`;
  return POSIX.has(name) && !name.startsWith('java')
    ? '[A-Za-z]'
    : String.raw`[\p{Lowercase}\p{Uppercase}\p{Lt}]`;
}

function unicodeSet(name: string): string | null {
  const [, key, value] = /^(?:(\w+)=)?(\w+)$/.exec(name) ?? [];
  if (value === undefined) return null;
  switch (key?.toLowerCase()) {
    case undefined:
      if (CATEGORY.test(value)) return `\\p{${value}}`;
      return value.startsWith('Is') ? isSet(value.slice(2)) : null;
    case 'gc':
    case 'general_category':
      return CATEGORY.test(value) ? `\\p{${value}}` : null;
    case 'sc':
    case 'script':
      return scriptSet(value);
    default:
      return null;
  }
}

function isSet(name: string): string | null {
  const binary = BINARY.get(name.toUpperCase());
  if (binary !== undefined) return `\\p{${binary}}`;
  return CATEGORY.test(name) ? `\\p{${name}}` : scriptSet(name);
}

function scriptSet(name: string): string | null {
  const titled = name.toLowerCase().replace(/(?:^|_)[a-z]/g, (letter) => letter.toUpperCase());
  const set = `\\p{sc=${titled}}`;
  try {
    new RegExp(set, 'v');
    return set;
  } catch {
    return null;
  }
}

/** One character, inside or outside of a class. */
export function charText(char: string): string {
  return /^[A-Za-z0-9_]$/.test(char) ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The characters from one to another; `anyCase` adds the other case of ASCII letters, as Java's `(?i)` does. */
export function rangeText(from: string, to: string, anyCase: boolean): string {
  const [low, high] = [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0];
  if (high < low) throw new Untranslatable(`the range ${from}-${to} runs backwards`);
  const text = low === high ? charText(from) : `${charText(from)}-${charText(to)}`;
  return anyCase ? text + otherCase(low, high, 0x41, 32) + otherCase(low, high, 0x61, -32) : text;
}

function otherCase(low: number, high: number, letterA: number, distance: number): string {
  const [from, to] = [Math.max(low, letterA), Math.min(high, letterA + 25)];
  if (from > to) return '';
  return `${String.fromCharCode(from + distance)}-${String.fromCharCode(to + distance)}`;
}
