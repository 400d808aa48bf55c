import { Untranslatable } from './sets.js';

interface Token {
  readonly char: string;
  /** Between \Q and \E, where no character means more than itself. */
  readonly quoted: boolean;
}

/** The characters (code points) of a pattern, one after the other. */
export class Scanner {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(pattern: string) {
    this.#tokens = tokensOf(pattern);
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The next character if it may have a meaning of its own, else null. */
  peek(ahead = 0): string | null {
    const token = this.#tokens[this.#at + ahead];
    return token === undefined || token.quoted ? null : token.char;
  }

  next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Untranslatable('it ends too early');
    this.#at += 1;
    return token;
  }

  /** Steps over the text if it is what follows. */
  take(text: string): boolean {
    const chars = Array.from(text);
    if (!chars.every((char, i) => this.peek(i) === char)) return false;
    this.#at += chars.length;
    return true;
  }

  /** Steps over what the expression matches from here on, at most `limit` characters. */
  takeMatch(pattern: RegExp, limit = 300): RegExpExecArray | null {
    let text = '';
    for (let ahead = 0; ahead < limit; ahead += 1) {
      const char = this.peek(ahead);
      if (char === null) break;
      text += char;
    }
    const found = pattern.exec(text);
    if (found !== null) this.#at += Array.from(found[0]).length;
    return found;
  }

  /** Blanks and comments, which the flag x has without meaning. */
  skipComments(): void {
    for (;;) {
      const char = this.peek();
      if (char === '#') while (!this.atEnd && !/[\n\r\x85\u2028\u2029]/.test(this.next().char));
      else if (char !== null && /[\t\n\v\f\r ]/.test(char)) this.next();
      else return;
    }
  }
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i += 1) {
    const char = chars[i] ?? '';
    if (char !== '\\') {
      tokens.push({ char, quoted: false });
    } else if (chars[i + 1] !== 'Q') {
      // With what follows, so that `\\Q` is not taken for the beginning of a quotation.
      i += 1;
      for (const one of [char, chars[i]]) if (one !== undefined) tokens.push({ char: one, quoted: false });
    } else {
      for (i += 2; i < chars.length && !(chars[i] === '\\' && chars[i + 1] === 'E'); i += 1)
        tokens.push({ char: chars[i] ?? '', quoted: true });
      i += 1;
    }
  }
  return tokens;
}
