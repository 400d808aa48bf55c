/**
 * A piece of an actor's metrics in shared memory: what there is as text, growing from its beginning, and the numbers, growing
 * from its end. Only the actor's thread writes. What it adds counts once the length of the text says so: a thread that ends in
 * the middle has added nothing. An actor has several, in order.
 */
import type { MetricDefinition, MetricType } from '../../sdk/metric-definition.js';
import { CELL_WORDS, type Words } from './shared-cell.js';

const CHUNK_BYTES = 8 * 1024;
/** Of all pieces of an actor. */
export const MAX_METRICS_BYTES = 512 * 1024;
/** Of these, what no plugin may fill. */
export const RUNTIME_BYTES = 64 * 1024;

/** The length of the text in bytes. */
const LENGTH = 0;
const TEXT_AT = 4;

/** `at` is the word of the first cell. */
export type ChunkEntry =
  /** Its cell holds the life of the actor that has registered it last. */
  | { readonly kind: 'metric'; readonly metric: MetricDefinition; readonly at: number }
  /** `metric` counts those of all pieces. */
  | {
      readonly kind: 'series';
      readonly metric: number;
      readonly values: readonly string[];
      readonly at: number;
    };

export type NewEntry =
  | { readonly kind: 'metric'; readonly metric: MetricDefinition }
  | { readonly kind: 'series'; readonly metric: number; readonly values: readonly string[] };

export function isMetricsMemory(value: unknown): value is SharedArrayBuffer {
  return (
    value instanceof SharedArrayBuffer && value.byteLength % 4 === 0 && value.byteLength <= MAX_METRICS_BYTES
  );
}

export class MetricsChunk {
  readonly words: Words;
  readonly #bytes: Buffer<SharedArrayBuffer>;
  /** Bytes of text that were read. */
  #read = 0;
  /** The first word that belongs to a cell. */
  #cells: number;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.#bytes = Buffer.from(memory);
    this.#cells = this.words.length;
  }

  /** Large enough for the entry. */
  static for(entry: NewEntry, cells: number): MetricsChunk {
    const needed = TEXT_AT + textOf(entry, 0).byteLength + 16 + cells * CELL_WORDS * 4;
    return new MetricsChunk(new SharedArrayBuffer(Math.max(CHUNK_BYTES, Math.ceil(needed / 4) * 4)));
  }

  get memory(): SharedArrayBuffer {
    return this.words.buffer;
  }

  /** What was added since the last call, or by others. What is none is left out. */
  news(): readonly ChunkEntry[] {
    const end = Math.min(Atomics.load(this.words, LENGTH), this.#bytes.length - TEXT_AT);
    if (end <= this.#read) return [];
    const text = this.#bytes.toString('utf8', TEXT_AT + this.#read, TEXT_AT + end);
    this.#read = end;
    const entries = text.split('\n').flatMap((line) => parseEntry(line, this.words.length) ?? []);
    for (const { at } of entries) this.#cells = Math.min(this.#cells, at);
    return entries;
  }

  /** The word of its first cell; null: no room. All cells are 0. */
  add(entry: NewEntry, cells: number): number | null {
    const at = this.#cells - cells * CELL_WORDS;
    const text = textOf(entry, at);
    const end = this.#read + text.byteLength;
    if (TEXT_AT + end > at * 4) return null;
    this.#bytes.set(text, TEXT_AT + this.#read);
    Atomics.store(this.words, LENGTH, end);
    this.#read = end;
    this.#cells = at;
    return at;
  }
}

/** A line. */
function textOf(entry: NewEntry, at: number): Buffer {
  if (entry.kind === 'series') return Buffer.from(`${JSON.stringify([at, entry.metric, entry.values])}\n`);
  const { type, name, help, labels, buckets } = entry.metric;
  return Buffer.from(`${JSON.stringify([at, type, name, help, labels, buckets])}\n`);
}

function parseEntry(line: string, words: number): ChunkEntry | null {
  if (line === '') return null;
  const parsed = parseJson(line);
  if (!Array.isArray(parsed)) return null;
  const fields: readonly unknown[] = parsed;
  const [at, second, third, help, labels, buckets] = fields;
  if (!isIndex(at) || at === 0 || at + CELL_WORDS > words) return null;
  if (isIndex(second)) {
    return isStrings(third) ? { kind: 'series', metric: second, values: third, at } : null;
  }
  if (!isType(second) || typeof third !== 'string' || typeof help !== 'string') return null;
  if (!isStrings(labels) || !isNumbers(buckets)) return null;
  return { kind: 'metric', metric: { type: second, name: third, help, labels, buckets }, at };
}

/** A plugin may have put anything in the place of what has written it. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isType(value: unknown): value is MetricType {
  return value === 'counter' || value === 'gauge' || value === 'histogram';
}
