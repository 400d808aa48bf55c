/**
 * JSON as RocketMQ's servers write it: standard, or with numbers and objects as keys, single quotes, and escapes that
 * the standard does not have. An object with objects as keys becomes a list of [key, value]; see `entriesOf`.
 */

/** Deeper than anything that a server sends. */
const MAX_DEPTH = 64;

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '0': '\0',
};
const WORDS: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const BARE = /[^\s,:{}[\]"']+/y;
const BLANK = /\s*/y;

/** Throws SyntaxError. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new Parser(text).parse();
  }
}

/** Of an object that may have objects as keys. Null: it is none. */
export function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] | null {
  if (Array.isArray(value))
    return value.every((entry): entry is [unknown, unknown] => Array.isArray(entry) && entry.length === 2)
      ? value
      : null;
  return typeof value === 'object' && value !== null ? Object.entries(value) : null;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): unknown {
    const value = this.#value(0);
    if (this.#peek() !== '') throw this.#wrong();
    return value;
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
    switch (this.#peek()) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#list(depth);
      case '"':
      case "'":
        return this.#string();
      default:
        return this.#bare();
    }
  }

  #object(depth: number): unknown {
    const entries: [unknown, unknown][] = [];
    this.#items('}', () => {
      const key = this.#value(depth + 1);
      if (this.#peek() !== ':') throw this.#wrong();
      this.#at += 1;
      entries.push([key, this.#value(depth + 1)]);
    });
    if (entries.some(([key]) => typeof key === 'object' && key !== null)) return entries;
    return Object.fromEntries(entries.map(([key, value]) => [String(key), value]));
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#items(']', () => list.push(this.#value(depth + 1)));
    return list;
  }

  /** From the opening bracket to behind the closing one. */
  #items(close: string, readItem: () => void): void {
    this.#at += 1;
    if (this.#peek() !== close) {
      readItem();
      while (this.#peek() === ',') {
        this.#at += 1;
        readItem();
      }
    }
    if (this.#peek() !== close) throw this.#wrong();
    this.#at += 1;
  }

  #string(): string {
    const quote = this.#text[this.#at];
    let text = '';
    for (let from = ++this.#at; ;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#wrong();
      if (char !== quote && char !== '\\') {
        this.#at += 1;
        continue;
      }
      text += this.#text.slice(from, this.#at);
      this.#at += 1;
      if (char === quote) return text;
      text += this.#escaped();
      from = this.#at;
    }
  }

  #escaped(): string {
    const letter = this.#text[this.#at++];
    if (letter === undefined) throw this.#wrong();
    if (letter !== 'u' && letter !== 'x') return ESCAPES[letter] ?? letter;
    const digits = this.#text.slice(this.#at, (this.#at += letter === 'u' ? 4 : 2));
    if (!/^([\da-f]{2}){1,2}$/i.test(digits)) throw this.#wrong();
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #bare(): unknown {
    BARE.lastIndex = this.#at;
    const word = BARE.exec(this.#text)?.[0];
    if (word === undefined) throw this.#wrong();
    const value = WORDS.has(word) ? WORDS.get(word) : Number(word);
    if (Number.isNaN(value)) throw this.#wrong();
    this.#at += word.length;
    return value;
  }

  /** The next character that is not blank; '' at the end. */
  #peek(): string {
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
    return this.#text[this.#at] ?? '';
  }

  #wrong(): SyntaxError {
    return new SyntaxError(
      `unexpected ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))} at ${this.#at}`,
    );
  }
}
