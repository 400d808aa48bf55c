import { hideSecrets } from './known-secrets.js';

const SECRET_KEY =
  /pass(word|wd|phrase|code)|secret|token|(access|api|private)[-_.]?key|credential|authorization/i;
const MAX_DEPTH = 6;
const CENSORED = '[redacted]';
const CUT = '[cut]';

/** What one line may hold, whatever it is given: no more values and no more characters than this. */
const MAX_VALUES = 1000;
const MAX_CHARACTERS = 64 * 1024;
const MAX_TEXT = 16 * 1024;

class Room {
  #values = MAX_VALUES;
  #characters = MAX_CHARACTERS;
  readonly #shown: (text: string) => string;

  constructor(shown: (text: string) => string) {
    this.#shown = shown;
  }

  /** False: the line is full. */
  take(): boolean {
    this.#values -= 1;
    return this.#values >= 0 && this.#characters > 0;
  }

  text(value: string): string {
    const shown = this.#shown(hideSecrets(value, Math.min(MAX_TEXT, Math.max(0, this.#characters))));
    this.#characters -= shown.length;
    return shown;
  }
}

/**
 * A copy for one log line: bounded, without secrets, and without the values of keys that look secret. `shown` is what
 * each text is written as.
 */
export function redactFields(
  fields: object,
  shown: (text: string) => string = (text) => text,
): Record<string, unknown> {
  return redactObject(fields, new Room(shown), 0);
}

function redactObject(fields: object, room: Room, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key in fields) {
    if (!Object.hasOwn(fields, key)) continue;
    if (!room.take()) {
      copy[CUT] = true;
      break;
    }
    const value = (fields as Readonly<Record<string, unknown>>)[key];
    if (SECRET_KEY.test(key) && value !== null && value !== undefined) copy[key] = CENSORED;
    // Has a serializer of its own.
    else if (depth === 0 && (key === 'err' || key === 'error') && value instanceof Error) copy[key] = value;
    else copy[room.text(key)] = redact(value, room, depth + 1);
  }
  return copy;
}

function redact(value: unknown, room: Room, depth: number): unknown {
  if (typeof value === 'string') return room.text(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > MAX_DEPTH) return CUT;
  if (Array.isArray(value)) return redactArray(value, room, depth);
  // As JSON they would be lists of numbers.
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return room.text(`${value.name}: ${value.message}`);
  if (value instanceof URL) return room.text(value.href);
  return redactObject(value, room, depth);
}

function redactArray(values: readonly unknown[], room: Room, depth: number): readonly unknown[] {
  const copy: unknown[] = [];
  for (const value of values) {
    if (!room.take()) {
      copy.push(CUT);
      break;
    }
    copy.push(redact(value, room, depth + 1));
  }
  return copy;
}
