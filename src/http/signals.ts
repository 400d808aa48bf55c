/** Signals as REST takes and shows them. */
import type { GivenAnswer, SignalBody, SignalRecord, SignalTarget } from '../core/connectors/signals.js';
import { isSignalId, isAnswered } from '../core/connectors/signals.js';
import { parseUnitKey } from '../core/model.js';
import type { JsonValue } from '../sdk/record.js';
import { HttpError, type FieldError } from './errors.js';
import { shortened } from './names.js';

const MAX_TYPE = 100;
/** Characters of JSON. */
const MAX_DATA = 16 * 1024;

export interface SignalRequest {
  /** null: one is made up. */
  readonly id: string | null;
  readonly signal: SignalBody;
  readonly to: SignalTarget;
}

const KNOWN = 'type, data, to, task, id';

/** `{type, data?, to?, task?, id?}` of POST /connectors/{name}/signals. `body` comes out of JSON. */
export function parseSignal(body: Readonly<Record<string, unknown>>): SignalRequest {
  const errors: FieldError[] = [];
  const refuse = (field: string, reason: string): void => {
    const value = Object.hasOwn(body, field) ? body[field] : undefined;
    errors.push({ field, value: value === undefined ? null : shortened(JSON.stringify(value)), reason });
  };
  const { type, data = null, to = null, task = null, id = null } = body;
  const isType = typeof type === 'string' && type.trim() !== '' && type.length <= MAX_TYPE;
  if (!isType) refuse('type', `must be a string of 1 to ${MAX_TYPE} characters`);
  if (JSON.stringify(data).length > MAX_DATA)
    errors.push({ field: 'data', value: null, reason: `must be at most ${MAX_DATA} characters of JSON` });
  const isTo = to === null || to === 'all' || to === 'connector' || to === 'tasks';
  if (!isTo) refuse('to', 'must be all, connector or tasks');
  const isTask = task === null || (Number.isSafeInteger(task) && Number(task) >= 0);
  if (!isTask) refuse('task', 'must be the number of a task');
  if (to !== null && task !== null) refuse('task', 'cannot be given together with to');
  if (id !== null && !isSignalId(id)) refuse('id', 'must be 1 to 64 letters, digits, _ . : -');
  for (const field of Object.keys(body))
    if (!KNOWN.split(', ').includes(field))
      errors.push({ field: shortened(field), value: null, reason: `is unknown; known are ${KNOWN}` });
  if (errors.length > 0 || !isType || !isTo || !(id === null || isSignalId(id))) {
    const list = errors.map(({ field, reason }) => `${field} ${reason}`).join('; ');
    throw new HttpError('BODY_INVALID', `The body is invalid: ${list}.`, { fields: errors });
  }
  const signal = { type, data: data as JsonValue };
  return { id, signal, to: task === null ? (to ?? 'all') : Number(task) };
}

export interface ShownAnswer {
  readonly state: 'WAITING' | 'ANSWERED' | 'FAILED';
  /** Of ANSWERED. */
  readonly answer?: JsonValue;
  /** Of FAILED. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Where it ran, and when it was answered (ms since 1970). */
  readonly worker_id?: string;
  readonly at?: number;
}

export interface ShownSignal {
  readonly id: string;
  readonly type: string;
  readonly data: JsonValue;
  /** When it was sent, in milliseconds since 1970. */
  readonly sent: number;
  /** ANSWERED: each has answered, or failed. */
  readonly state: 'WAITING' | 'ANSWERED';
  /** Of the planning side; left out where it was not addressed. */
  readonly connector?: ShownAnswer;
  /** Of the tasks that were addressed. */
  readonly tasks: readonly (ShownAnswer & { readonly id: number })[];
}

export function shownSignal(record: SignalRecord): ShownSignal {
  const { id, signal, at, units, answers } = record;
  let connector: ShownAnswer | undefined;
  const tasks: (ShownAnswer & { readonly id: number })[] = [];
  for (const unit of units) {
    const { task } = parseUnitKey(unit);
    const shown = shownAnswer(answers.get(unit));
    if (task === null) connector = shown;
    else tasks.push({ id: task, ...shown });
  }
  return {
    id,
    ...signal,
    sent: at,
    state: isAnswered(record) ? 'ANSWERED' : 'WAITING',
    ...(connector && { connector }),
    tasks,
  };
}

function shownAnswer(given: GivenAnswer | undefined): ShownAnswer {
  if (given === undefined) return { state: 'WAITING' };
  const { at, node } = given;
  const where = { ...(node !== '' && { worker_id: node }), at };
  if (given.ok) return { state: 'ANSWERED', answer: given.answer, ...where };
  return { state: 'FAILED', error: { code: given.code, message: given.message }, ...where };
}
