/** What a task's plugin says by itself, through its context. All throw ConnectError PLUGIN_CONTRACT. */
import { ConnectError } from '../sdk/errors.js';
import type { TaskProgress } from '../sdk/plugin.js';
import { PLUGIN_CONTRACT, found, isJsonObject, OF_JSON } from './plugin-returns.js';

/** A position, or its partition alone. */
export function checkPosition(method: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given))
    if (!isJsonObject(value)) throw problem(method, name, OF_JSON, value);
}

export function checkNote(code: unknown, message: unknown): void {
  if (typeof code !== 'string' || !/^[A-Z0-9_]{1,64}$/.test(code))
    throw problem('note', 'code', 'of capitals, digits and _, at most 64', code);
  if (typeof message !== 'string' && message !== null)
    throw problem('note', 'message', 'a string or null', message);
}

export function checkProgress(said: unknown): TaskProgress | null {
  if (said === null) return null;
  if (typeof said !== 'object') throw problem('progress', 'argument', '{ text, percent } or null', said);
  const { text, percent }: { readonly text?: unknown; readonly percent?: unknown } = said;
  if (typeof text !== 'string') throw problem('progress', 'text', 'a string', text);
  if (percent === undefined) return { text };
  if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100))
    throw problem('progress', 'percent', 'a number from 0 to 100, or left out', percent);
  return { text, percent };
}

/** When a source wants to be called next. */
export function checkRest(until: unknown): number | null {
  if (until === null || (typeof until === 'number' && Number.isFinite(until))) return until;
  throw problem('rest', 'argument', 'a time in milliseconds since 1970, or null', until);
}

function problem(method: string, name: string, allowed: string, value: unknown): ConnectError {
  return new ConnectError(`${method}: its ${name} must be ${allowed}, not ${found(value)}`, {
    code: PLUGIN_CONTRACT,
  });
}
