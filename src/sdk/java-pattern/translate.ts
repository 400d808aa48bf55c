import { checkReference, isBehind, openGroup, type Group } from './groups.js';
import { Scanner } from './scanner.js';
import {
  ANY,
  charText,
  escapedSet,
  LAST_LINE_END,
  LINE_BREAK,
  LINE_END,
  LINE_START,
  namedSet,
  NO_LINE_END,
  rangeText,
  TEXT_END,
  TEXT_START,
  Untranslatable,
} from './sets.js';

/** Those in force; one in parentheses has a copy. */
interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
  x: boolean;
}

interface Atom {
  readonly text: string;
  readonly nullable: boolean;
  readonly group?: Group;
}

/** What stands between two bars and what cannot be repeated are told apart by this. */
const EMPTY: Atom = { text: '', nullable: true };
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

/** Captured groups are named `g1`, `g2` …, so that groups of the translation's own do not shift their numbers. */
export class Translation {
  readonly groups: Group[] = [];
  readonly names = new Map<string, number>();
  readonly source: string;
  readonly #scanner: Scanner;
  readonly #references: (readonly [target: Group, from: Group])[] = [];
  #atomic = 0;
  #depth = 0;

  /** Throws Untranslatable. */
  constructor(pattern: string) {
    this.#scanner = new Scanner(pattern);
    this.source = this.#alternatives(openGroup(null, null), { i: false, m: false, s: false, x: false });
    if (!this.#scanner.atEnd) throw new Untranslatable('a ) has no ( before it');
    for (const [target, from] of this.#references) checkReference(target, from);
  }

  #alternatives(group: Group, flags: Flags): string {
    let text = '';
    let nullable = true;
    for (;;) {
      if (flags.x) this.#scanner.skipComments();
      if (this.#scanner.atEnd || this.#scanner.peek() === ')') break;
      if (this.#scanner.take('|')) {
        group.alternatives = true;
        group.nullable ||= nullable;
        nullable = true;
        text += '|';
      } else {
        const atom = this.#atom(group, flags);
        const piece = atom === EMPTY ? atom : this.#quantified(atom, group, flags);
        nullable &&= piece.nullable;
        text += piece.text;
      }
    }
    group.nullable ||= nullable;
    return text;
  }

  #quantified(atom: Atom, within: Group, flags: Flags): Atom {
    if (flags.x) this.#scanner.skipComments();
    const found = this.#scanner.takeMatch(/^(?:[?*+]|\{(\d{1,9})(,(\d{1,9})?)?\})([?+]?)/);
    if (found === null) return atom;
    const [whole, least, more, most, mode = ''] = found;
    const sign = whole[0];
    const skipped = sign === '?' || sign === '*' || (least !== undefined && Number(least) === 0);
    if (atom.group !== undefined) {
      atom.group.skipped = skipped;
      atom.group.repeated =
        sign === '*' ||
        sign === '+' ||
        (sign === '{' && Number(more === undefined ? least : (most ?? 2)) > 1);
    }
    const text = `(?:${atom.text})${mode === '+' ? whole.slice(0, -1) : whole}`;
    return {
      text: mode === '+' ? this.#atomicText(text, within) : text,
      nullable: skipped || atom.nullable,
      ...(atom.group === undefined ? {} : { group: atom.group }),
    };
  }

  /** Once it has matched it is not tried again: a look ahead is not, and the reference takes what it saw. */
  #atomicText(text: string, within: Group): string {
    if (isBehind(within))
      throw new Untranslatable('possessive quantifiers and (?> are not supported inside a look behind');
    this.#atomic += 1;
    return `(?:(?=(?<p${this.#atomic}>${text}))\\k<p${this.#atomic}>)`;
  }

  #atom(group: Group, flags: Flags): Atom {
    const { char, quoted } = this.#scanner.next();
    if (quoted) return literal(char, flags);
    switch (char) {
      case '(':
        return this.#parentheses(group, flags);
      case '[':
        return { text: this.#class(flags), nullable: false };
      case '.':
        return { text: flags.s ? ANY : NO_LINE_END, nullable: false };
      case '^':
        return { text: flags.m ? LINE_START : TEXT_START, nullable: true };
      case '$':
        return { text: flags.m ? LINE_END : LAST_LINE_END, nullable: true };
      case '\\':
        return this.#escape(group, flags);
      case '*':
      case '+':
      case '?':
      case '{':
        throw new Untranslatable(
          `${char} has nothing before it to repeat: for the character itself write \\${char}`,
        );
      default:
        return literal(char, flags);
    }
  }

  #parentheses(parent: Group, flags: Flags): Atom {
    const scanner = this.#scanner;
    if (!scanner.take('?')) return this.#captured(parent, flags, null);
    if (scanner.take(':')) return this.#nested(openGroup(parent, null), flags, '(?:');
    if (scanner.take('=')) return { ...this.#nested(openGroup(parent, null), flags, '(?='), nullable: true };
    if (scanner.take('!'))
      return { ...this.#nested(openGroup(parent, null, 'not'), flags, '(?!'), nullable: true };
    if (scanner.take('<='))
      return { ...this.#nested(openGroup(parent, null, 'behind'), flags, '(?<='), nullable: true };
    if (scanner.take('<!'))
      return { ...this.#nested(openGroup(parent, null, 'not-behind'), flags, '(?<!'), nullable: true };
    if (scanner.take('>')) {
      const atom = this.#nested(openGroup(parent, null), flags, '(?:');
      return { ...atom, text: this.#atomicText(atom.text, parent) };
    }
    const name = scanner.takeMatch(/^<([A-Za-z][A-Za-z0-9]*)>/)?.[1];
    if (name !== undefined) return this.#captured(parent, flags, name);
    return this.#flags(parent, flags);
  }

  #flags(parent: Group, flags: Flags): Atom {
    const found = this.#scanner.takeMatch(/^([A-Za-z]*)(?:-([A-Za-z]*))?([:)])/);
    if (found === null) throw new Untranslatable('what follows (? is not known');
    const [, on = '', off = '', end] = found;
    const changed = { ...flags };
    for (const [letters, value] of [
      [on, true],
      [off, false],
    ] as const) {
      for (const letter of letters) {
        if (letter !== 'i' && letter !== 'm' && letter !== 's' && letter !== 'x')
          throw new Untranslatable(`the flag (?${letter}) is not supported here: there are i, m, s and x`);
        changed[letter] = value;
      }
    }
    if (end === ':') return this.#nested(openGroup(parent, null), changed, '(?:');
    // From here on, as far as the parentheses around it reach.
    Object.assign(flags, changed);
    return EMPTY;
  }

  #captured(parent: Group, flags: Flags, name: string | null): Atom {
    const number = this.groups.length + 1;
    const group = openGroup(parent, number);
    this.groups.push(group);
    if (name !== null) {
      if (this.names.has(name)) throw new Untranslatable(`the group name ${name} stands twice`);
      this.names.set(name, number);
    }
    return this.#nested(group, flags, `(?<g${number}>`);
  }

  #nested(group: Group, flags: Flags, opening: string): Atom {
    this.#enter();
    const text = this.#alternatives(group, { ...flags });
    if (!this.#scanner.take(')')) throw new Untranslatable('a ( has no ) after it');
    this.#depth -= 1;
    return { text: `${opening}${text})`, nullable: group.nullable, group };
  }

  #escape(group: Group, flags: Flags): Atom {
    const scanner = this.#scanner;
    const letter = scanner.peek();
    if (letter === null) throw new Untranslatable('a \\ stands at its end');
    const set = this.#set(flags);
    if (set !== null) return { text: set, nullable: false };
    if (/[1-9]/.test(letter)) return this.#reference(this.#numberOfReference(), group, flags);
    const name = scanner.takeMatch(/^k<(\w+)>/)?.[1];
    if (name !== undefined) return this.#reference(this.names.get(name) ?? 0, group, flags);
    switch (letter) {
      case 'A':
      case 'z':
      case 'Z':
        scanner.next();
        return { text: { A: TEXT_START, z: TEXT_END, Z: LAST_LINE_END }[letter], nullable: true };
      case 'b':
      case 'B':
        scanner.next();
        if (scanner.peek() === '{') throw new Untranslatable(`\\${letter}{ is not supported here`);
        return { text: `\\${letter}`, nullable: true };
      case 'R':
        scanner.next();
        return { text: LINE_BREAK, nullable: false };
      default:
        return literal(this.#char(), flags);
    }
  }

  /** As many digits as there are groups for. */
  #numberOfReference(): number {
    let number = 0;
    for (;;) {
      const digit = this.#scanner.peek();
      if (digit === null || !/[0-9]/.test(digit)) return number;
      const longer = number * 10 + Number(digit);
      if (number > 0 && longer > this.groups.length) return number;
      number = longer;
      this.#scanner.next();
    }
  }

  #reference(number: number, from: Group, flags: Flags): Atom {
    const target = this.groups[number - 1];
    if (target === undefined)
      throw new Untranslatable('it refers back to a group that does not stand before it');
    if (flags.i) throw new Untranslatable('references back to a group are not supported with (?i)');
    if (isBehind(from)) throw new Untranslatable('references back are not supported inside a look behind');
    this.#references.push([target, from]);
    return { text: `\\k<g${number}>`, nullable: true };
  }

  /** After a backslash: a set of characters, or null and nothing is read. */
  #set(flags: Flags): string | null {
    const letter = this.#scanner.peek() ?? '';
    const found = this.#scanner.takeMatch(/^[pP](?:\{([^}]*)\}|([A-Z]))/);
    if (found !== null) {
      const set = namedSet(found[1] ?? found[2] ?? '', flags.i);
      return letter === 'P' ? `[^${set}]` : set;
    }
    const set = escapedSet(letter);
    if (set !== null) this.#scanner.next();
    return set;
  }

  /** After a backslash: the one character it stands for. */
  #char(): string {
    const scanner = this.#scanner;
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
  #class(flags: Flags): string {
    this.#enter();
    const scanner = this.#scanner;
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
        items += this.#class(flags);
        afterNested = true;
      } else {
        if (operands.length > 0 && afterNested)
          throw new Untranslatable('after && put all that follows into one pair of brackets');
        items += this.#classItem(flags);
      }
    }
    scanner.next();
    this.#depth -= 1;
    if (items === '') throw new Untranslatable('&& needs a set on both sides');
    if (operands.length === 0) return `[${negated}${items}]`;
    return `[${negated}${[...operands, items].map((operand) => `[${operand}]`).join('&&')}]`;
  }

  #classItem(flags: Flags): string {
    const escaped = this.#scanner.take('\\');
    const set = escaped ? this.#set(flags) : null;
    if (set !== null) return set;
    const from = escaped ? this.#char() : this.#scanner.next().char;
    const after = this.#scanner.peek(1);
    if (this.#scanner.peek() !== '-' || after === ']' || after === '[') return rangeText(from, from, flags.i);
    this.#scanner.next();
    const to = this.#scanner.take('\\') ? this.#char() : this.#scanner.next().char;
    return rangeText(from, to, flags.i);
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Untranslatable(`it is nested more than ${MAX_DEPTH} deep`);
  }
}

function literal(char: string, flags: Flags): Atom {
  const swapped = flags.i && /^[A-Za-z]$/.test(char);
  return { text: swapped ? `[${rangeText(char, char, true)}]` : charText(char), nullable: false };
}

function charOf(code: number): string {
  if (code > 0x10ffff) throw new Untranslatable(`there is no character ${code.toString(16)}`);
  return String.fromCodePoint(code);
}
