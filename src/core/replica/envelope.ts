import { count, isObject, object, text } from './json-shape.js';

/** Who wrote an entry: one life of one writer. A writer's sequence numbers grow from entry to entry. */
export interface Writer {
  readonly node: string;
  /** Unique for each start of the writer, or its entries would be taken for repeated ones and change nothing. */
  readonly incarnation: string;
}

export interface Envelope extends Writer {
  readonly v: 1;
  /** From 1. An entry whose number is not above its writer's last one was seen before: a repeated append. */
  readonly seq: number;
  readonly entry: unknown;
}

/** One of `of` records that together are a snapshot of the state before the entry at offset `at`. */
export interface SnapshotPart {
  readonly v: 1;
  readonly snapshot: string;
  readonly part: number;
  readonly of: number;
  readonly at: number;
  readonly items: readonly unknown[];
}

function isVersion(value: unknown): value is 1 {
  return value === 1;
}

const isEnvelope = object<Envelope>({
  v: isVersion,
  node: text,
  incarnation: text,
  seq: count,
  entry: (_value): _value is unknown => true,
});

const isPart = object<SnapshotPart>({
  v: isVersion,
  snapshot: text,
  part: count,
  of: count,
  at: count,
  items: (value): value is readonly unknown[] => Array.isArray(value),
});

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Numbers a writer's entries, which must be appended in the order they were encoded. */
export class EntryEncoder<E> {
  readonly writer: Writer;
  #seq = 0;

  constructor(writer: Writer) {
    this.writer = writer;
  }

  /** Number of the entry encoded last. */
  get seq(): number {
    return this.#seq;
  }

  encode(entry: E): Uint8Array {
    this.#seq += 1;
    const { node, incarnation } = this.writer;
    const envelope: Envelope = { v: 1, node, incarnation, seq: this.#seq, entry };
    return encodeJson(envelope);
  }
}

/** null: not one of ours, or broken. */
export function decodeRecord(value: Uint8Array): Envelope | SnapshotPart | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(value));
  } catch {
    return null;
  }
  if (!isObject(parsed)) return null;
  if (isPart(parsed)) return parsed.of > 0 && parsed.part < parsed.of ? parsed : null;
  return isEnvelope(parsed) ? parsed : null;
}
