import { hideSecrets } from './known-secrets.js';

const SECRET_KEY =
  /pass(word|wd|phrase|code)|secret|token|(access|api|private)[-_.]?key|credential|authorization/i;
const MAX_DEPTH = 6;
const CENSORED = '[redacted]';

/** A copy without the values of keys that look secret; what has none is returned as it is. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return hideSecrets(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return redactArray(value, depth);
  // Instances (errors, dates, buffers) have their own way into the log line.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return redactFields(value, depth);
}

export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    copy[key] =
      SECRET_KEY.test(key) && value !== null && value !== undefined ? CENSORED : redact(value, depth + 1);
  }
  return copy;
}

function redactArray(values: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (const [index, value] of values.entries()) {
    const safe = redact(value, depth + 1);
    if (safe === value) continue;
    copy ??= [...values];
    copy[index] = safe;
  }
  return copy ?? values;
}
