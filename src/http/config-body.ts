/** The bodies that carry a connector configuration. All that is wrong is told at once. */
import type { TargetState } from '../core/model.js';
import { HttpError, type FieldError } from './errors.js';
import { isForbiddenKey, isJsonMap, type JsonMap, type JsonValue } from './json.js';
import { shortened } from './names.js';
import type { Config } from './runtime.js';
import { HIDDEN, looksSecret } from './secrets.js';

export interface CreateBody {
  readonly name: string;
  readonly config: Config;
  readonly initialState: TargetState | undefined;
}

/** `{name, config, initial_state?, initial_offsets?}` of POST /connectors; the last is not looked at here. */
export function parseCreate(body: JsonMap): CreateBody {
  const errors: FieldError[] = [];
  let name = '';
  let config: Config = {};
  let initialState: TargetState | undefined;
  for (const [field, value] of Object.entries(body)) {
    if (field === 'name') name = scalar(field, value, errors)?.trim() ?? '';
    else if (field === 'initial_state') initialState = parseState(value, errors);
    else if (field === 'initial_offsets') continue;
    else if (field === 'config' && isJsonMap(value)) config = configEntries(value, errors);
    else if (field === 'config')
      errors.push({ field, value: shown(field, value), reason: 'must be an object of strings' });
    else
      errors.push({
        field: shortened(field),
        value: null,
        reason: 'is unknown; known are name, config, initial_state, initial_offsets',
      });
  }
  if (!Object.hasOwn(body, 'config'))
    errors.push({ field: 'config', value: null, reason: 'is required: an object of strings' });
  refuse(errors);
  return { name: name === '' ? (config['name'] ?? '').trim() : name, config, initialState };
}

export function parseConfig(body: JsonMap): Config {
  const errors: FieldError[] = [];
  const config = configEntries(body, errors);
  refuse(errors);
  return config;
}

/** null removes a key. */
export function parsePatch(body: JsonMap): Readonly<Record<string, string | null>> {
  const errors: FieldError[] = [];
  const changes = new Map<string, string | null>();
  for (const [key, value] of Object.entries(body)) {
    if (!checkKey(key, errors)) continue;
    const text = value === null ? null : scalar(key, value, errors);
    if (text !== undefined) changes.set(key, text);
  }
  refuse(errors);
  return Object.fromEntries(changes);
}

function configEntries(map: JsonMap, errors: FieldError[]): Config {
  const entries = new Map<string, string>();
  for (const [key, value] of Object.entries(map)) {
    if (!checkKey(key, errors)) continue;
    const text = scalar(key, value, errors);
    if (text !== undefined) entries.set(key, text);
  }
  return Object.fromEntries(entries);
}

function checkKey(key: string, errors: FieldError[]): boolean {
  const reason = isForbiddenKey(key)
    ? 'is a reserved word of JavaScript and cannot be a configuration key'
    : key.trim() === ''
      ? 'is an empty configuration key'
      : null;
  if (reason !== null) errors.push({ field: key, value: null, reason });
  return reason === null;
}

/** Numbers are strings already (json.ts). */
function scalar(field: string, value: JsonValue, errors: FieldError[]): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  errors.push({ field, value: shown(field, value), reason: 'must be a string' });
  return undefined;
}

function parseState(value: JsonValue, errors: FieldError[]): TargetState | undefined {
  const state = typeof value === 'string' ? value.toUpperCase() : '';
  if (state === 'RUNNING' || state === 'PAUSED' || state === 'STOPPED') return state;
  errors.push({
    field: 'initial_state',
    value: shown('initial_state', value),
    reason: 'must be RUNNING, PAUSED or STOPPED',
  });
  return undefined;
}

function shown(field: string, value: JsonValue): string {
  return looksSecret(field) ? HIDDEN : shortened(typeof value === 'string' ? value : JSON.stringify(value));
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const list = errors.map((error) => `${error.field} ${error.reason}`).join('; ');
  throw new HttpError('BODY_INVALID', `The body is invalid: ${list}.`, { fields: errors });
}
