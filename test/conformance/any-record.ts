/** Records with everything in them that a store might stumble over. */
import fc from 'fast-check';

import { BatchReader } from '#troupe/log/batch.js';
import type { RecordHeader } from '#troupe/log/batch.js';
import type { EncodedBatch, Log } from '#troupe/log/log.js';

export interface PlainRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** Separators of text formats, control characters, several bytes a character. */
const awkwardText = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    '7',
    ' ',
    '.',
    '=',
    '%',
    '\u0000',
    '\u0001',
    '\u0002',
    '\n',
    'ü',
    '群',
    '🎭',
  ),
  maxLength: 12,
});
const bytes = fc.oneof(
  awkwardText.map((text) => new Uint8Array(Buffer.from(text))),
  fc.string({ maxLength: 30 }).map((text) => new Uint8Array(Buffer.from(text))),
  fc.uint8Array({ maxLength: 30 }),
);
/** Names that mean something to RocketMQ, and to its adapter. */
const knownName = fc.constantFrom(
  'KEYS',
  'TAGS',
  'UNIQ_KEY',
  'DELAY',
  'CLUSTER',
  '__proto__',
  'TROUPE_KEY',
  'TROUPE_VALUE',
  'TROUPE_TIME',
  'TROUPE_ID',
  'TROUPE_TX',
  'TROUPE_HEADER.0',
);
const knownValue = fc
  .constantFrom('null', 'empty', '1', '.', '.eA', '.eA.eQ', '17', 'true', '1a', '0')
  .map((text) => new Uint8Array(Buffer.from(text)));
const header: fc.Arbitrary<RecordHeader> = fc.tuple(
  fc.oneof(knownName, awkwardText),
  fc.oneof(knownValue, bytes),
);
const timestamp = fc.oneof(
  fc.constantFrom(0, 1, -1, 1_700_000_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_003 }),
);

export const anyRecord: fc.Arbitrary<PlainRecord> = fc.record(
  {
    key: fc.option(fc.oneof(knownValue, bytes)),
    value: fc.option(fc.oneof(knownValue, bytes)),
    timestamp,
    headers: fc.array(header, { maxLength: 4 }),
  },
  { noNullPrototype: true },
);

export function recordsOf(batch: EncodedBatch, from = 0): PlainRecord[] {
  const reader = BatchReader.open(batch.bytes);
  const copy = (data: Uint8Array | null): Uint8Array | null => (data === null ? null : Uint8Array.from(data));
  return Array.from({ length: reader.count }, (_, i) => ({
    key: copy(reader.key(i)),
    value: copy(reader.value(i)),
    timestamp: reader.timestamp(i),
    headers: reader.headers(i).map(([name, value]) => [name, Uint8Array.from(value)] as const),
  })).slice(from);
}

/** From an offset to the end of queue 0. */
export async function readRecords(log: Log, topic: string, from: number): Promise<PlainRecord[]> {
  const records: PlainRecord[] = [];
  for (let offset = from; ;) {
    const read = await log.read({
      topic,
      queue: 0,
      offset,
      maxBytes: 1 << 20,
      maxRecords: 10_000,
      waitMs: 0,
    });
    if (read.batches.length === 0) return records;
    for (const { baseOffset, batch } of read.batches)
      records.push(...recordsOf(batch, Math.max(0, offset - baseOffset)));
    offset = read.nextOffset;
  }
}
