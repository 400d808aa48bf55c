import { canonicalJson, digestOf } from '../replica/canonical-json.js';
import { count, object, text, type Shape } from '../replica/json-shape.js';
import { parseUnitKey, type TransactionPart, type UnitKey } from '../model.js';
import { entryShape, isConnector, isFenceEntry, isUncovered } from './progress-shapes.js';
import { TransactionParts } from './transaction-parts.js';
import type { Machine } from '../replica/machine.js';

export interface QueueTail {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
}

/** Mark and digest of a record: already-appended.ts. */
export type AppendedRecord = readonly [mark: number, digest: number];

/** What a unit has appended and its items do not cover. */
export interface Uncovered {
  /** In these queues it stands at these offsets or later. */
  readonly tails: readonly QueueTail[];
  /** Before them, these records. */
  readonly left: readonly AppendedRecord[];
}

export type ProgressEntry<T> = Extract<ProgressOf<T>, { readonly type: 'PROGRESS' }>;

export type ProgressOf<T> =
  /** From here on nothing older than this epoch counts for the unit. A new owner appends it, and reads up to it. */
  | { readonly type: 'FENCE'; readonly unit: UnitKey; readonly epoch: number }
  /** `reset`: values may move backwards. */
  | {
      readonly type: 'PROGRESS';
      readonly unit: UnitKey;
      readonly epoch: number;
      readonly items: readonly T[];
      readonly reset?: boolean;
      /** Keys of items that are forgotten: tombstones. None of them is among `items`. */
      readonly retired?: readonly string[];
      /** After the items: of transactions that no item of their partition covers. */
      readonly parts?: readonly TransactionPart[];
      /** What of `Uncovered` has changed: of the tails these, of the records that are left all. */
      readonly tails?: readonly QueueTail[];
      readonly left?: readonly AppendedRecord[];
    }
  /**
   * Forgets a connector's progress. Epochs seen so far cannot bring it back. `upTo`: unless a task was opened since that
   * epoch; whoever clears up must not do it to a connector that was made anew.
   */
  | { readonly type: 'DROP'; readonly connector: string; readonly upTo?: number }
  /**
   * Sets these items, forgets those of the keys in `removed`, and leaves others alone; null forgets all. Ends all epochs seen so
   * far, like DROP. `upTo`: FENCED, and nothing is done, when a task was opened since that epoch.
   */
  | {
      readonly type: 'RESET';
      readonly connector: string;
      readonly items: readonly T[] | null;
      readonly removed?: readonly string[];
      readonly upTo?: number;
    };

/** `changed`: items that were taken over. FENCED names the epoch that is in the way. */
export type ProgressResult =
  | { readonly ok: true; readonly changed: number }
  | { readonly ok: false; readonly reason: 'FENCED'; readonly epoch: number; readonly message: string };

interface Recorded<T> {
  readonly item: T;
  readonly epoch: number;
}

interface KeptProgress<T> {
  readonly items: Map<string, Recorded<T>>;
  /** Newest epoch of each unit. */
  readonly fences: Map<UnitKey, number>;
  /** Of each unit. Gone with a DROP or RESET: then nothing that was appended counts any more. */
  readonly uncovered: Map<UnitKey, UnitUncovered>;
  /** Of items: gone with the next word of their item. */
  readonly parts: TransactionParts;
  /** Epochs up to this one are over, whatever the unit. */
  floor: number;
}

/** To read; only the machine changes it. */
export interface ProgressState<T> {
  /** Those without items and fences were dropped, and keep only their floor. */
  readonly connectors: Map<string, KeptProgress<T>>;
}

export interface ProgressKind<T> {
  readonly name: string;
  readonly isItem: Shape<T>;
  readonly keyOf: (item: T) => string;
  /** Whether a later item replaces the present one when nothing says `reset`. */
  readonly supersedes: (item: T, present: T) => boolean;
}

/** Dropped connectors whose floor is remembered. The same on every node, or they diverge. */
const MAX_DROPPED = 10_000;

export function progressMachine<T>(
  kind: ProgressKind<T>,
): Machine<ProgressState<T>, ProgressOf<T>, ProgressResult> {
  const isEntry = entryShape(kind.isItem);
  return {
    name: kind.name,
    initial: () => ({ connectors: new Map() }),
    apply: (state, entry) => ({ state, result: apply(kind, state, entry) }),
    decode: (value) => (isEntry(value) ? value : null),
    encodeSnapshot,
    decodeSnapshot: (items) => decodeSnapshot(kind, items),
    digest: (state) => digestOf(encodeSnapshot(state)),
  };
}

function apply<T>(kind: ProgressKind<T>, state: ProgressState<T>, entry: ProgressOf<T>): ProgressResult {
  switch (entry.type) {
    case 'FENCE':
    case 'PROGRESS': {
      const progress = progressOf(state, parseUnitKey(entry.unit).connector);
      const newest = Math.max(progress.fences.get(entry.unit) ?? 0, progress.floor + 1);
      if (entry.epoch < newest) {
        const message = `epoch ${entry.epoch} of ${entry.unit} is over: the present one is ${newest} or later`;
        return { ok: false, reason: 'FENCED', epoch: newest, message };
      }
      progress.fences.set(entry.unit, entry.epoch);
      if (entry.type === 'FENCE') return { ok: true, changed: 0 };
      recordUncovered(progress, entry);
      retire(progress, entry.retired ?? [], entry.epoch);
      const changed = record(kind, progress, entry.items, entry);
      recordParts(progress, entry.parts ?? [], entry.epoch);
      return { ok: true, changed };
    }
    case 'DROP':
      if (newestEpoch(state, entry.connector) <= (entry.upTo ?? Infinity)) drop(state, entry.connector);
      return { ok: true, changed: 0 };
    case 'RESET': {
      const newest = newestEpoch(state, entry.connector);
      if (newest > (entry.upTo ?? Infinity)) {
        const message = `a task of ${entry.connector} was opened at epoch ${newest} meanwhile`;
        return { ok: false, reason: 'FENCED', epoch: newest, message };
      }
      const progress = progressOf(state, entry.connector);
      endEpochs(progress);
      if (entry.items === null) {
        progress.items.clear();
        progress.parts.clear();
      }
      retire(progress, entry.removed ?? [], progress.floor);
      return {
        ok: true,
        changed: record(kind, progress, entry.items ?? [], { epoch: progress.floor, reset: true }),
      };
    }
  }
}

function record<T>(
  kind: ProgressKind<T>,
  { items: recorded, parts }: KeptProgress<T>,
  items: readonly T[],
  { epoch, reset }: { readonly epoch: number; readonly reset?: boolean },
): number {
  let changed = 0;
  for (const item of items) {
    const key = kind.keyOf(item);
    const present = recorded.get(key);
    if (present !== undefined) {
      if (epoch < present.epoch) continue;
      if (reset !== true && !kind.supersedes(item, present.item)) continue;
    }
    recorded.set(key, { item, epoch });
    parts.delete(key, epoch);
    changed += 1;
  }
  return changed;
}

/** Of keys that are gone no epoch is kept: a late word of a task of an older plan could bring one back. */
function retire<T>({ items, parts }: KeptProgress<T>, keys: readonly string[], epoch: number): void {
  for (const key of keys) {
    if (epoch >= (items.get(key)?.epoch ?? 0)) items.delete(key);
    parts.delete(key, epoch);
  }
}

/** As of items: a late word of an older epoch changes nothing. */
function recordParts<T>(
  { items, parts }: KeptProgress<T>,
  words: readonly TransactionPart[],
  epoch: number,
): void {
  for (const part of words)
    if (epoch >= (items.get(canonicalJson(part.partition))?.epoch ?? 0)) parts.set(part, epoch);
}

/** That any of its tasks was opened at. */
export function newestEpoch<T>({ connectors }: ProgressState<T>, connector: string): number {
  const { floor = 0, fences = new Map<UnitKey, number>() } = connectors.get(connector) ?? {};
  let newest = floor;
  for (const epoch of fences.values()) newest = Math.max(newest, epoch);
  return newest;
}

interface UnitUncovered {
  readonly tails: Map<string, QueueTail>;
  left: readonly AppendedRecord[];
}

function recordUncovered<T>(
  { uncovered }: KeptProgress<T>,
  { unit, tails, left }: { readonly unit: UnitKey } & Partial<Uncovered>,
): void {
  if (tails === undefined && left === undefined) return;
  const known = uncovered.get(unit) ?? { tails: new Map<string, QueueTail>(), left: [] };
  uncovered.set(unit, known);
  for (const tail of tails ?? []) known.tails.set(`${tail.queue} ${tail.topic}`, tail);
  if (left !== undefined) known.left = left;
}

/** For a new owner of the unit. */
export function uncoveredOf<T>(state: ProgressState<T>, unit: UnitKey): Uncovered {
  const known = state.connectors.get(parseUnitKey(unit).connector)?.uncovered.get(unit);
  return { tails: [...(known?.tails.values() ?? [])], left: known?.left ?? [] };
}

function progressOf<T>(state: ProgressState<T>, connector: string): KeptProgress<T> {
  let progress = state.connectors.get(connector);
  if (progress === undefined) {
    progress = {
      items: new Map(),
      fences: new Map(),
      uncovered: new Map(),
      parts: new TransactionParts(),
      floor: 0,
    };
    state.connectors.set(connector, progress);
  }
  return progress;
}

function endEpochs<T>(progress: KeptProgress<T>): void {
  for (const epoch of progress.fences.values()) progress.floor = Math.max(progress.floor, epoch);
  progress.fences.clear();
  progress.uncovered.clear();
}

function drop<T>(state: ProgressState<T>, connector: string): void {
  const progress = state.connectors.get(connector);
  if (progress === undefined) return;
  endEpochs(progress);
  progress.items.clear();
  progress.parts.clear();
  // Set anew, so that those dropped longest ago come first.
  state.connectors.delete(connector);
  if (progress.floor === 0) return;
  state.connectors.set(connector, progress);
  if (state.connectors.size <= MAX_DROPPED) return;
  const dropped = [...state.connectors].filter(
    ([, { items, fences }]) => items.size === 0 && fences.size === 0,
  );
  for (const [name] of dropped.slice(0, Math.max(0, dropped.length - MAX_DROPPED)))
    state.connectors.delete(name);
}

function* encodeSnapshot<T>(state: ProgressState<T>): Generator {
  for (const [connector, { items, fences, uncovered, parts, floor }] of state.connectors) {
    yield { connector, floor };
    for (const part of parts.recorded()) yield { connector, floor, part };
    for (const [unit, epoch] of fences) yield { unit, epoch };
    for (const [unit, { tails, left }] of uncovered) yield { unit, tails: [...tails.values()], left };
    for (const { item, epoch } of items.values()) yield { of: connector, item, epoch };
  }
}

function decodeSnapshot<T>(kind: ProgressKind<T>, items: readonly unknown[]): ProgressState<T> | null {
  const state: ProgressState<T> = { connectors: new Map() };
  const isRecorded = object<{ of: string; item: T; epoch: number }>({
    of: text,
    item: kind.isItem,
    epoch: count,
  });
  for (const value of items) {
    if (isConnector(value)) {
      const progress = progressOf(state, value.connector);
      progress.floor = value.floor;
      if (value.part !== undefined) progress.parts.set(value.part.part, value.part.epoch);
    } else if (isFenceEntry(value))
      progressOf(state, parseUnitKey(value.unit).connector).fences.set(value.unit, value.epoch);
    else if (isUncovered(value))
      recordUncovered(progressOf(state, parseUnitKey(value.unit).connector), value);
    else if (isRecorded(value)) {
      progressOf(state, value.of).items.set(kind.keyOf(value.item), { item: value.item, epoch: value.epoch });
    } else return null;
  }
  return state;
}
