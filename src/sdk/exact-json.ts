/**
 * JSON whose numbers keep all their digits. Slower than JSON.parse, so it is used only where a number was seen that
 * a JavaScript number cannot hold.
 */
import { DataError } from './errors.js';
import { isFields, setField } from './value.js';

/** Deeper nesting is refused: it could exhaust the stack. */
export const MAX_JSON_DEPTH = 1000;

/** A number with a fraction or an exponent, as it was written. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

/**
 * As JSON.parse, but whole numbers that a JavaScript number cannot hold become bigints. Throws SyntaxError, whose
 * message may quote the text; DataError TOO_DEEP, and NUMBER_TOO_LARGE for what would become Infinity, as 1e400.
 */
export function parseJson(text: string): unknown {
  const json: unknown = JSON.parse(text);
  return losesDigits(json) ? plainNumbers(parseExact(text)) : json;
}

/** Whether what JSON.parse gave holds a whole number that it may have rounded. Throws DataError TOO_DEEP, NUMBER_TOO_LARGE. */
export function losesDigits(json: unknown, depth = 0): boolean {
  if (typeof json === 'number') return Number.isInteger(finite(json)) && !Number.isSafeInteger(json);
  if (typeof json !== 'object' || json === null) return false;
  if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
  if (Array.isArray(json)) return json.some((item) => losesDigits(item, depth + 1));
  for (const name in json) if (losesDigits(Reflect.get(json, name), depth + 1)) return true;
  return false;
}

/** A copy of what `parseExact` gave, in which numbers with a fraction are JavaScript numbers. */
export function plainNumbers(json: unknown): unknown {
  if (json instanceof NumberText) return finite(Number(json.text));
  if (Array.isArray(json)) return json.map(plainNumbers);
  if (!isFields(json)) return json;
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(json)) setField(fields, name, plainNumbers(json[name]));
  return fields;
}

/** JSON has no infinity: it is what JSON.parse makes of 1e400. Throws DataError NUMBER_TOO_LARGE. */
export function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new DataError('a number is larger than 1.8e308, which is the most that a double holds', {
    code: 'NUMBER_TOO_LARGE',
  });
}

/**
 * Integers are numbers where they are safe, else bigints. Other numbers are NumberText. The text must be JSON that
 * JSON.parse has accepted. Throws DataError TOO_DEEP.
 */
export function parseExact(text: string): unknown {
  return new ExactParser(text).value(0);
}

class ExactParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        this.#at += 4;
        return true;
      case 'f':
        this.#at += 5;
        return false;
      case 'n':
        this.#at += 4;
        return null;
      default:
        return this.#number();
    }
  }

  #object(depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    this.#at += 1;
    while (!this.#ends('}')) {
      const name = this.#string();
      this.#skipBlanks();
      this.#at += 1; // the colon
      setField(fields, name, this.value(depth + 1));
    }
    return fields;
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    while (!this.#ends(']')) items.push(this.value(depth + 1));
    return items;
  }

  /** Steps over blanks and a comma; true, and past it, at the closing bracket. */
  #ends(bracket: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] === ',') {
      this.#at += 1;
      this.#skipBlanks();
    }
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #string(): string {
    const end = endOfString(this.#text, this.#at);
    const quoted = this.#text.slice(this.#at, end);
    this.#at = end;
    return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  }

  #number(): number | bigint | NumberText {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) throw new DataError('the value is not JSON', { code: 'BAD_JSON' });
    const [literal, fraction, exponent] = found;
    this.#at += literal.length;
    if (fraction !== undefined || exponent !== undefined) return new NumberText(literal);
    const number = Number(literal);
    return Number.isSafeInteger(number) ? number : BigInt(literal);
  }

  #skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

/** `start` is at the opening quote; the result is past the closing one. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;
}

export function jsonTooDeep(): DataError {
  return new DataError(`the value is nested more than ${MAX_JSON_DEPTH} deep, or refers to itself`, {
    code: 'TOO_DEEP',
  });
}
