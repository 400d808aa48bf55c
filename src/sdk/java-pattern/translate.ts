import { charClass, deeper, escapedChar, escapedSetIn } from './char-classes.js';
import { checkReference, isBehind, openGroup, type Group } from './groups.js';
import { Scanner } from './scanner.js';
import {
  ANY,
  charText,
  LAST_LINE_END,
  LINE_BREAK,
  LINE_END,
  LINE_START,
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
    const found = this.#scanner.takeMatch(/^(?:[?*+]|\{(\d{1,9})(,(\d{1,9})?)?\})([?+]?)/, 24);
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
        return { text: charClass(this.#scanner, flags, this.#depth), nullable: false };
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
    this.#depth = deeper(this.#depth);
    const text = this.#alternatives(group, { ...flags });
    if (!this.#scanner.take(')')) throw new Untranslatable('a ( has no ) after it');
    this.#depth -= 1;
    return { text: `${opening}${text})`, nullable: group.nullable, group };
  }

  #escape(group: Group, flags: Flags): Atom {
    const scanner = this.#scanner;
    const letter = scanner.peek();
    if (letter === null) throw new Untranslatable('a \\ stands at its end');
    const set = escapedSetIn(scanner, flags.i);
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
        return literal(escapedChar(scanner), flags);
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
}

function literal(char: string, flags: Flags): Atom {
  const swapped = flags.i && /^[A-Za-z]$/.test(char);
  return { text: swapped ? `[${rangeText(char, char, true)}]` : charText(char), nullable: false };
}
