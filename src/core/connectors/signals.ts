/**
 * Signals: what users tell a connector that exists, and what its planning side and its tasks answer. A part of the config
 * state. Delivery is at least once: a unit that ends before its answer is in the log is given the signal again.
 */
import type { JsonValue } from '../../sdk/record.js';
import { unitKey, type ConnectorEntry, type UnitKey } from '../model.js';
import {
  count,
  flag,
  isObject,
  listOf,
  number,
  object,
  optional,
  text,
  type Shape,
} from '../replica/json-shape.js';
import type { EntryMeta } from '../replica/machine.js';

/** 'all': the planning side and every task of the present plan. A number: that task. */
export type SignalTarget = 'all' | 'connector' | 'tasks' | number;

export interface SignalWrite {
  readonly name: string;
  /** Of the sender's making; of one connector no two signals have the same. */
  readonly id: string;
  readonly signal: SignalBody;
  readonly to: SignalTarget;
}

export interface SignalBody {
  readonly type: string;
  readonly data: JsonValue;
}

/** What a unit says. */
export type UnitAnswer =
  | { readonly ok: true; readonly answer: JsonValue }
  | { readonly ok: false; readonly code: string; readonly message: string };

export type SignalAnswer = UnitAnswer & {
  /** Id of the node that it ran on; empty where nobody was asked. */
  readonly node: string;
};

export interface AnswerWrite {
  readonly name: string;
  readonly id: string;
  readonly unit: UnitKey;
  readonly answer: SignalAnswer;
  /** The planning side asks for a new plan. */
  readonly replan?: boolean;
}

export type GivenAnswer = SignalAnswer & {
  /** Milliseconds since 1970. */
  readonly at: number;
};

export interface SignalRecord extends SignalWrite {
  /** Log offset of its entry, which orders the signals of a connector. */
  readonly offset: number;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** Who is to answer. */
  readonly units: readonly UnitKey[];
  readonly answers: ReadonlyMap<UnitKey, GivenAnswer>;
  /** Of data and answers, as JSON. */
  readonly chars: number;
}

/** A signal that some units have not answered. */
export interface PendingSignal {
  readonly name: string;
  readonly id: string;
  readonly offset: number;
  readonly signal: SignalBody;
  readonly units: readonly UnitKey[];
}

/** The oldest first. Only the machine changes it. */
export type Signals = Map<string, SignalRecord>;

export type SignalErrorCode =
  'CONNECTOR_STOPPED' | 'TASK_NOT_FOUND' | 'SIGNAL_EXISTS' | 'SIGNAL_NOT_FOUND' | 'TOO_MANY_SIGNALS';

/** `SignalRecord` of a signal, or why there is none. */
export type SignalResult =
  | { readonly ok: true; readonly signal: SignalRecord }
  | { readonly ok: false; readonly code: SignalErrorCode; readonly message: string };

/** Bounds of what is kept: the oldest that are answered make room. The same on every node, or they diverge. */
export const MAX_SIGNALS_OF_CONNECTOR = 50;
const MAX_SIGNALS = 1000;
const MAX_CHARS = 8 * 1024 * 1024;
/** Of the answers to one signal together; what comes after these is replaced by an error. */
const MAX_ANSWER_CHARS = 256 * 1024;

export function signalOf(signals: Signals, name: string, id: string): SignalRecord | null {
  return signals.get(keyOf(name, id)) ?? null;
}

export function signalsOf(signals: Signals, name: string): SignalRecord[] {
  return [...signals.values()].filter((each) => each.name === name);
}

export function isAnswered({ units, answers }: SignalRecord): boolean {
  return answers.size >= units.length;
}

export function pendingSignals(signals: Signals): PendingSignal[] {
  const pending: PendingSignal[] = [];
  for (const record of signals.values()) {
    if (isAnswered(record)) continue;
    const { name, id, offset, signal, units, answers } = record;
    pending.push({ name, id, offset, signal, units: units.filter((unit) => !answers.has(unit)) });
  }
  return pending;
}

export function send(
  signals: Signals,
  connector: ConnectorEntry,
  { name, id, signal, to }: SignalWrite,
  { offset, timestamp: at }: EntryMeta,
): SignalResult {
  const known = signalOf(signals, name, id);
  if (known !== null) {
    const same = known.to === to && JSON.stringify(known.signal) === JSON.stringify(signal);
    if (same) return { ok: true, signal: known };
    return failure('SIGNAL_EXISTS', `connector ${name} was sent another signal of the id ${id}`);
  }
  if (connector.targetState === 'STOPPED') return failure('CONNECTOR_STOPPED', stopped(name));
  const units = unitsOf(connector, to);
  if (units === null) return failure('TASK_NOT_FOUND', `connector ${name} has no task ${to}`);
  if (!makeRoom(signals, name))
    return failure(
      'TOO_MANY_SIGNALS',
      `too many signals wait for their answers, of connector ${name} or of all: at most ${MAX_SIGNALS_OF_CONNECTOR} of one`,
    );
  const chars = JSON.stringify(signal).length;
  const answers = new Map<UnitKey, GivenAnswer>();
  const record: SignalRecord = { name, id, signal, to, offset, at, units, answers, chars };
  signals.set(keyOf(name, id), record);
  return { ok: true, signal: record };
}

/** The first answer of a unit counts. */
export function answer(
  signals: Signals,
  { name, id, unit, answer: given }: AnswerWrite,
  { timestamp: at }: EntryMeta,
): SignalResult {
  const record = signalOf(signals, name, id);
  if (record?.units.includes(unit) !== true)
    return failure('SIGNAL_NOT_FOUND', `connector ${name} has no signal ${id} for ${unit} (any more)`);
  if (record.answers.has(unit)) return { ok: true, signal: record };
  const changed = withAnswer(record, unit, { ...given, at });
  signals.set(keyOf(name, id), changed);
  for (const old of [...signals.values()]) {
    if (charsOf(signals) <= MAX_CHARS) break;
    if (old !== changed && isAnswered(old)) signals.delete(keyOf(old.name, old.id));
  }
  return { ok: true, signal: changed };
}

/** Nobody will answer for these units any more. */
export function giveUp(
  signals: Signals,
  name: string,
  isGone: (unit: UnitKey) => boolean,
  { code, message }: { readonly code: string; readonly message: string },
  { timestamp: at }: EntryMeta,
): void {
  for (const record of signalsOf(signals, name)) {
    let changed = record;
    for (const unit of record.units)
      if (isGone(unit) && !record.answers.has(unit))
        changed = withAnswer(changed, unit, { ok: false, code, message, node: '', at });
    if (changed !== record) signals.set(keyOf(name, record.id), changed);
  }
}

export function forget(signals: Signals, name: string): void {
  for (const { id } of signalsOf(signals, name)) signals.delete(keyOf(name, id));
}

/** Ids hold no space. */
function keyOf(name: string, id: string): string {
  return `${id} ${name}`;
}

export function stopped(name: string): string {
  return `connector ${name} is STOPPED: nothing of it runs that could take a signal`;
}

function unitsOf({ name, tasks }: ConnectorEntry, to: SignalTarget): readonly UnitKey[] | null {
  const all = (tasks?.configs ?? []).map((_, task) => unitKey({ connector: name, task }));
  if (to === 'tasks') return all;
  if (to === 'connector') return [name];
  if (to === 'all') return [name, ...all];
  const one = all[to];
  return one === undefined ? null : [one];
}

function withAnswer(record: SignalRecord, unit: UnitKey, given: GivenAnswer): SignalRecord {
  const whole = JSON.stringify(given).length;
  const said = record.chars - JSON.stringify(record.signal).length;
  const fits = said + whole <= MAX_ANSWER_CHARS || !given.ok;
  const { at, node } = given;
  const kept: GivenAnswer = fits
    ? given
    : {
        ok: false,
        code: 'ANSWERS_TOO_LARGE',
        message: `the answers to this signal are more than ${MAX_ANSWER_CHARS} characters: what this one said was left out`,
        node,
        at,
      };
  const chars = record.chars + JSON.stringify(kept).length;
  return { ...record, answers: new Map(record.answers).set(unit, kept), chars };
}

function charsOf(signals: Signals): number {
  let sum = 0;
  for (const { chars } of signals.values()) sum += chars;
  return sum;
}

/** False: none of those that are there is answered. */
function makeRoom(signals: Signals, name: string): boolean {
  const own = signalsOf(signals, name);
  if (own.length >= MAX_SIGNALS_OF_CONNECTOR && !dropOldest(signals, own)) return false;
  const isFull = (): boolean => signals.size >= MAX_SIGNALS || charsOf(signals) > MAX_CHARS;
  while (isFull()) if (!dropOldest(signals, [...signals.values()])) return false;
  return true;
}

function dropOldest(signals: Signals, among: readonly SignalRecord[]): boolean {
  const oldest = among.find(isAnswered);
  return oldest !== undefined && signals.delete(keyOf(oldest.name, oldest.id));
}

function failure(code: SignalErrorCode, message: string): SignalResult {
  return { ok: false, code, message };
}

// --- Entries and snapshots. ---

const isJsonValue: Shape<JsonValue> = (value): value is JsonValue => value !== undefined;
const isBody = object<SignalBody>({ type: text, data: isJsonValue });
const isTarget: Shape<SignalTarget> = (value): value is SignalTarget =>
  value === 'all' || value === 'connector' || value === 'tasks' || count(value);
export const isSignalId: Shape<string> = (value): value is string =>
  text(value) && /^[\w.:-]{1,64}$/.test(value);
const isGood = object<{ ok: boolean; answer: JsonValue; node: string }>({
  ok: flag,
  answer: isJsonValue,
  node: text,
});
const isBad = object<{ ok: boolean; code: string; message: string; node: string }>({
  ok: flag,
  code: text,
  message: text,
  node: text,
});
const isAnswer: Shape<SignalAnswer> = (value): value is SignalAnswer =>
  isObject(value) && (value['ok'] === true ? isGood(value) : value['ok'] === false && isBad(value));

export const SIGNAL_ENTRY = { id: isSignalId, signal: isBody, to: isTarget } as const;
export const ANSWER_ENTRY = {
  id: isSignalId,
  unit: text,
  answer: isAnswer,
  replan: optional(flag),
} as const;

type SavedSignal = Omit<SignalRecord, 'answers' | 'chars'>;

const isSaved = object<SavedSignal>({
  name: text,
  ...SIGNAL_ENTRY,
  offset: count,
  at: number,
  units: listOf(text),
});
const isSavedAnswer = object<{
  answerTo: string;
  of: string;
  unit: UnitKey;
  answer: SignalAnswer;
  at: number;
}>({
  answerTo: isSignalId,
  of: text,
  unit: text,
  answer: isAnswer,
  at: number,
});

/** Each answer is an item of its own: all of a signal may be more than a message holds. */
export function* encodeSignals(signals: Signals): Generator {
  for (const { answers, chars: _, ...signal } of signals.values()) {
    yield { signal };
    for (const [unit, { at, ...given }] of answers)
      yield { answerTo: signal.id, of: signal.name, unit, answer: given, at };
  }
}

/** False: it is no item of a signal. */
export function decodeSignal(signals: Signals, item: unknown): boolean {
  if (isSavedAnswer(item)) {
    const record = signalOf(signals, item.of, item.answerTo);
    if (record === null) return false;
    const given = { ...item.answer, at: item.at };
    const chars = record.chars + JSON.stringify(given).length;
    const answers = new Map(record.answers).set(item.unit, given);
    signals.set(keyOf(record.name, record.id), { ...record, answers, chars });
    return true;
  }
  if (!isObject(item) || !isSaved(item['signal'])) return false;
  const { name, id, signal, to, offset, at, units } = item['signal'];
  const chars = JSON.stringify(signal).length;
  const record = { name, id, signal, to, offset, at, units, answers: new Map(), chars };
  signals.set(keyOf(name, id), record);
  return true;
}
