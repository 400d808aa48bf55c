/** Batches of texts, as the tests of the log write and read them. */
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import type { EncodedBatch, Log, StoredBatch } from '#troupe/log/log.js';

export const ALL = { maxBytes: Number.MAX_SAFE_INTEGER, maxRecords: Number.MAX_SAFE_INTEGER } as const;

export function batchOf(values: readonly (string | null)[]): EncodedBatch {
  const builder = new BatchBuilder();
  for (const value of values) builder.add(null, value, 1_700_000_000_000);
  return builder.build();
}

export function textsOf(batches: readonly StoredBatch[], from = 0): (string | null)[] {
  const texts: (string | null)[] = [];
  for (const { baseOffset, batch } of batches) {
    const reader = BatchReader.open(batch.bytes);
    for (let i = Math.max(0, from - baseOffset); i < reader.count; i++) texts.push(reader.valueText(i));
  }
  return texts;
}

/** Everything in a queue, read in steps. */
export async function readTexts(log: Log, topic: string, queue = 0, from = 0): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for (let offset = from; ;) {
    const result = await log.read({
      topic,
      queue,
      offset,
      maxBytes: 256 * 1024,
      maxRecords: 10_000,
      waitMs: 0,
    });
    if (result.batches.length === 0) return texts;
    texts.push(...textsOf(result.batches, Math.max(offset, result.startOffset)));
    offset = result.nextOffset;
  }
}
