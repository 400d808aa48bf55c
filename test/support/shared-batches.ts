/** What shared consumers received, to be compared. */
import assert from 'node:assert/strict';
import { BatchReader } from '#troupe/log/batch.js';
import type { SharedBatch } from '#troupe/log/shared.js';
import type { PlainRecord } from '../conformance/any-record.js';

export function values(batch: SharedBatch | null): string[] {
  return batch === null ? [] : plain(batch).map(({ value }) => Buffer.from(value ?? []).toString());
}

export function plain({ batch, deliveries }: SharedBatch): PlainRecord[] {
  const reader = BatchReader.open(batch.bytes);
  assert.equal(reader.count, deliveries.length);
  return deliveries.map((_, i) => ({
    key: reader.key(i),
    value: reader.value(i),
    timestamp: reader.timestamp(i),
    headers: reader.headers(i),
  }));
}

export function text({ key, value, timestamp, headers }: PlainRecord): string {
  const hex = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString('hex');
  const sorted = headers.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([hex(key), hex(value), timestamp, sorted.map(([name, data]) => [name, hex(data)])]);
}
