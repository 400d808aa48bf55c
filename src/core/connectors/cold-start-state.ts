/**
 * A replicated state that can begin from the copies in the files of the nodes, when its topic is empty: see
 * docs/decisions/0013-cold-start-from-files.md. Until the first entry of another kind the newest copy that is whole wins, whoever
 * brings it and however late; from then on none counts.
 */
import { digestOf } from '../replica/canonical-json.js';
import { count, flag, isObject, listOf, nullable, object, text, type Shape } from '../replica/json-shape.js';
import type { EntryMeta, Machine } from '../replica/machine.js';
import { splitItems } from '../replica/snapshot.js';

/** Which state a copy is of: the one before the entry at `offset` in the `life`-th life of the topic's state. */
export interface CopyOrigin {
  readonly life: number;
  readonly offset: number;
}

/** One of `of` parts of a copy. Copies of one origin are the same, so anybody's parts complete it. */
export interface RestoreEntry {
  readonly type: 'RESTORE';
  readonly origin: CopyOrigin;
  readonly part: number;
  readonly of: number;
  readonly items: readonly unknown[];
}

interface Copy {
  readonly origin: CopyOrigin;
  readonly of: number;
  readonly parts: Map<number, readonly unknown[]>;
}

export interface Restorable<S> {
  inner: S;
  /** How many times the state has begun from a copy, over all the lives that the copies knew of. */
  life: number;
  /** Of the copy it has begun from. */
  origin: CopyOrigin | null;
  /** Nothing but copies so far: another one may come. */
  open: boolean;
  /** Not whole yet. */
  readonly copies: Map<string, Copy>;
}

/** Items of a copy, as they stand in the file, and the state they make. */
export interface CopyRules<S, I> {
  readonly isItem: Shape<I>;
  readonly restore: (items: readonly I[], meta: EntryMeta) => S;
}

/** At once; one more, and the one begun first is forgotten. */
const MAX_COPIES = 64;
const MAX_PARTS = 10_000;

const isOrigin = object<CopyOrigin>({ life: count, offset: count });

export function restoreEntries(origin: CopyOrigin, items: Iterable<unknown>): RestoreEntry[] {
  const parts = splitItems(items);
  return parts.map((content, part) => ({ type: 'RESTORE', origin, part, of: parts.length, items: content }));
}

export function isNewer(a: CopyOrigin, b: CopyOrigin): boolean {
  return a.life !== b.life ? a.life > b.life : a.offset > b.offset;
}

/** The result of a copy's part is null. */
export function restorable<S, E extends { readonly type: string }, R, I>(
  machine: Machine<S, E, R>,
  rules: CopyRules<S, I>,
): Machine<Restorable<S>, E | RestoreEntry, R | null> {
  const isRestore = object<RestoreEntry>({
    type: (value): value is 'RESTORE' => value === 'RESTORE',
    origin: isOrigin,
    part: count,
    of: count,
    items: listOf<unknown>(rules.isItem),
  });
  const isWhole = (entry: E | RestoreEntry): entry is RestoreEntry => entry.type === 'RESTORE';
  return {
    name: machine.name,
    initial: () => ({ inner: machine.initial(), life: 0, origin: null, open: true, copies: new Map() }),
    apply(state, entry, meta) {
      if (isWhole(entry)) {
        if (state.open) take(state, entry, meta, rules);
        return { state, result: null };
      }
      state.open = false;
      state.copies.clear();
      const applied = machine.apply(state.inner, entry, meta);
      state.inner = applied.state;
      return { state, result: applied.result };
    },
    decode(value) {
      if (isRestore(value)) return value.part < value.of && value.of <= MAX_PARTS ? value : null;
      return machine.decode(value);
    },
    *encodeSnapshot(state) {
      yield head(state);
      yield* copyItems(state);
      yield* machine.encodeSnapshot(state.inner);
    },
    decodeSnapshot: (items) => decodeSnapshot(machine, items),
    digest: (state) => digestOf([head(state), ...copyItems(state), machine.digest(state.inner)]),
  };
}

function take<S, I>(
  state: Restorable<S>,
  { origin, part, of, items }: RestoreEntry,
  meta: EntryMeta,
  { isItem, restore }: CopyRules<S, I>,
): void {
  if (state.origin !== null && !isNewer(origin, state.origin)) return;
  const copy = copyOf(state, origin, of);
  if (copy.of !== of) return;
  copy.parts.set(part, items);
  if (copy.parts.size < of) return;
  const all: I[] = [];
  for (let i = 0; i < of; i += 1)
    for (const item of copy.parts.get(i) ?? []) if (isItem(item)) all.push(item);
  state.inner = restore(all, meta);
  state.origin = origin;
  state.life = origin.life + 1;
  for (const [key, other] of state.copies) if (!isNewer(other.origin, origin)) state.copies.delete(key);
}

function copyOf<S>({ copies }: Restorable<S>, origin: CopyOrigin, of: number): Copy {
  const key = `${origin.life}/${origin.offset}`;
  const copy = copies.get(key) ?? { origin, of, parts: new Map<number, readonly unknown[]>() };
  copies.set(key, copy);
  const [oldest] = copies.keys();
  if (copies.size > MAX_COPIES && oldest !== undefined) copies.delete(oldest);
  return copy;
}

interface Head {
  readonly life: number;
  readonly origin: CopyOrigin | null;
  readonly open: boolean;
}

interface CopyPart {
  readonly copy: string;
  readonly origin: CopyOrigin;
  readonly of: number;
  readonly part: number;
  readonly items: readonly unknown[];
}

const isHead = object<Head>({ life: count, origin: nullable(isOrigin), open: flag });
const isCopyPart = object<CopyPart>({
  copy: text,
  origin: isOrigin,
  of: count,
  part: count,
  items: (value): value is readonly unknown[] => Array.isArray(value),
});

function head<S>({ life, origin, open }: Restorable<S>): { readonly restored: Head } {
  return { restored: { life, origin, open } };
}

function* copyItems<S>({ copies }: Restorable<S>): Generator<CopyPart> {
  for (const [copy, { origin, of, parts }] of copies)
    for (const [part, items] of parts) yield { copy, origin, of, part, items };
}

/** A snapshot without a head was written before states could be restored. */
function decodeSnapshot<S, E, R>(machine: Machine<S, E, R>, items: readonly unknown[]): Restorable<S> | null {
  const [first] = items;
  const known = isObject(first) && isHead(first['restored']) ? first['restored'] : null;
  const copies = new Map<string, Copy>();
  let at = known === null ? 0 : 1;
  for (let part = items[at]; known !== null && isCopyPart(part); part = items[(at += 1)]) {
    const copy = copies.get(part.copy) ?? { origin: part.origin, of: part.of, parts: new Map() };
    copies.set(part.copy, copy);
    copy.parts.set(part.part, part.items);
  }
  const inner = machine.decodeSnapshot(items.slice(at));
  return inner === null ? null : { inner, ...(known ?? { life: 0, origin: null, open: false }), copies };
}
