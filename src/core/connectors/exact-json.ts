/**
 * JSON from outside. `JSON.parse` would round numbers, take the last of two equal keys without a word, and tell an
 * error by quoting the text, which may hold a password. Configuration values are strings, so here numbers stay the
 * digits that were sent: 1.0 is `1.0`, 12345678901234567890 loses nothing.
 */

/** Names line and column, and quotes nothing. */
export class JsonError extends Error {}

export type JsonValue = string | boolean | null | readonly JsonValue[] | JsonMap;
/** Its own properties, in the order sent; read it with `Object.entries`. */
export interface JsonMap {
  readonly [key: string]: JsonValue;
}

/** Nothing of ours is deeper than three. */
const MAX_DEPTH = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** Keys that JavaScript objects give a meaning of their own. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

export function isJsonMap(value: JsonValue): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws JsonError. */
export function parseExactJson(text: string): JsonValue {
  return new Reader(text).document();
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value();
    if (this.#next() !== '') this.#fail('nothing more was expected');
    return value;
  }

  #value(): JsonValue {
    const char = this.#next();
    if (char === '"') return this.#string();
    if (char === '{') return this.#nested(() => this.#object());
    if (char === '[') return this.#nested(() => this.#array());
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#match(NUMBER) || this.#fail('a value was expected');
  }

  #nested<T>(read: () => T): T {
    if (this.#depth === MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels of nesting`);
    this.#depth += 1;
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): JsonMap {
    // A Map first: assigning a key `__proto__` to an object would set its prototype.
    const entries = new Map<string, JsonValue>();
    while (this.#more('}', entries.size === 0)) {
      if (this.#next() !== '"') this.#fail('a key in double quotes was expected');
      const start = this.#at;
      const key = this.#string();
      if (entries.has(key)) {
        this.#at = start;
        this.#fail('the same key is there already');
      }
      if (this.#next() !== ':') this.#fail('a colon was expected');
      this.#at += 1;
      entries.set(key, this.#value());
    }
    return Object.fromEntries(entries);
  }

  #array(): readonly JsonValue[] {
    const values: JsonValue[] = [];
    while (this.#more(']', values.length === 0)) values.push(this.#value());
    return values;
  }

  /** Whether another member follows; steps over the comma, or over the end. */
  #more(end: string, first: boolean): boolean {
    const char = this.#next();
    if (char === end) {
      this.#at += 1;
      return false;
    }
    if (first) return true;
    if (char !== ',') this.#fail(`a comma or ${end} was expected`);
    this.#at += 1;
    return true;
  }

  #string(): string {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    const literal = this.#text.slice(this.#at, end + 1);
    try {
      const value: unknown = JSON.parse(literal);
      this.#at = end + 1;
      return String(value);
    } catch {
      return this.#fail('this string does not end, or holds a control character or a bad escape');
    }
  }

  /** The next character that is not space; empty at the end. */
  #next(): string {
    this.#match(SPACE);
    return this.#text[this.#at] ?? '';
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #fail(reason: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    const column = this.#at - before.lastIndexOf('\n');
    throw new JsonError(`line ${line}, column ${column}: ${reason}`);
  }
}
