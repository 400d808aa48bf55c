import type { ReplicaPort, ReplicaRead } from '../core/replicated-state.js';
import { BatchBuilder, BatchReader } from './batch.js';
import type { EncodedBatch, Log } from './log.js';

const READ_BYTES = 1 << 20;

/** A topic with one queue, which is a total order: what a replicated state lives in. */
export async function openReplicatedTopic(log: Log, topic: string): Promise<ReplicaPort> {
  await log.createTopic(topic, { queues: 1, retentionMs: null, retentionBytes: null, reserve: true });
  return {
    async append(values) {
      const [offset] = await log.append({ entries: [{ topic, queue: 0, batch: encodeValues(values) }] });
      if (offset === undefined) throw new Error('the log answered an append without an offset');
      return offset;
    },
    async read(from, waitMs, signal): Promise<ReplicaRead> {
      const result = await log.read({
        topic,
        queue: 0,
        offset: from,
        maxBytes: READ_BYTES,
        maxRecords: 10_000,
        waitMs,
        ...(signal === undefined ? {} : { signal }),
      });
      const records: ReplicaRead['records'][number][] = [];
      for (const { baseOffset, batch } of result.batches) {
        const reader = BatchReader.open(batch.bytes);
        for (let i = Math.max(0, from - baseOffset); i < reader.count; i += 1) {
          const value = reader.value(i);
          if (value !== null) records.push({ offset: baseOffset + i, timestamp: reader.timestamp(i), value });
        }
      }
      return {
        records,
        nextOffset: result.nextOffset,
        startOffset: result.startOffset,
        endOffset: result.endOffset,
      };
    },
    trim: (offset) => log.trim(topic, 0, offset),
  };
}

export function encodeValues(values: readonly Uint8Array[]): EncodedBatch {
  const builder = new BatchBuilder();
  const now = Date.now();
  for (const value of values) builder.add(null, value, now, null);
  return builder.build();
}
