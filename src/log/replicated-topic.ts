import { setTimeout as sleep } from 'node:timers/promises';
import { nextDelayMs, type Backoff } from '../core/backoff.js';
import type { ReplicaPort, ReplicaRead } from '../core/replica/replicated-state.js';
import { BatchBuilder, BatchReader } from './batch.js';
import { LogError } from './log.js';
import type { EncodedBatch, Log } from './log.js';

const READ_BYTES = 1 << 20;

/** How long an append of unknown outcome is repeated. */
const REPEAT_MS = 60_000;
/** A store that cannot be trimmed deletes by age: RocketMQ after 72 hours, unless it is set otherwise. */
const SNAPSHOT_EVERY_MS = 6 * 3_600_000;
const PAUSES: Backoff = { minMs: 50, maxMs: 2000, jitter: 0.2 };

/** Appends to a topic in place of the log: rocketmq/grpc/publisher.ts. */
export interface TopicAppender {
  /** Null: it cannot at present, and the log itself is to append. The values may come to stand there twice. */
  append(topic: string, values: readonly Uint8Array[]): Promise<number | null>;
}

/** A topic with one queue, which is a total order: what a replicated state lives in. */
export async function openReplicatedTopic(
  log: Log,
  topic: string,
  appender: TopicAppender | null = null,
): Promise<ReplicaPort> {
  await log.createTopic(topic, { queues: 1, retentionMs: null, retentionBytes: null, reserve: true });
  return {
    async append(values) {
      const published = await appender?.append(topic, values);
      if (typeof published === 'number') return published;
      const giveUpAt = performance.now() + REPEAT_MS;
      // Encoded for each try: the append takes the bytes over.
      const append = (): Promise<readonly number[]> =>
        log.append({ entries: [{ topic, queue: 0, batch: encodeValues(values) }] });
      const [offset] = await repeating(append, (error) => isUnknown(error) && performance.now() < giveUpAt);
      if (offset === undefined) throw new Error('the log answered an append without an offset');
      return offset;
    },
    async read(from, waitMs, signal): Promise<ReplicaRead> {
      const request = {
        topic,
        queue: 0,
        offset: from,
        maxBytes: READ_BYTES,
        maxRecords: 10_000,
        waitMs,
        ...(signal === undefined ? {} : { signal }),
      };
      const result = await repeating(() => log.read(request), isPassing, signal);
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
    ...(log.capabilities.trim
      ? {}
      : { snapshots: { everyMs: SNAPSHOT_EVERY_MS, now: () => performance.now() } }),
  };
}

async function repeating<T>(
  call: () => Promise<T>,
  again: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted === true || !again(error)) throw error;
    }
    await sleep(
      nextDelayMs(PAUSES, failures, Math.random()),
      undefined,
      signal === undefined ? {} : { signal },
    );
  }
}

function isPassing(error: unknown): error is LogError {
  return error instanceof LogError && error.retriable;
}

/** Whether an append was done; a full log has done nothing, and does not empty itself by trying. */
function isUnknown(error: unknown): boolean {
  return isPassing(error) && error.code !== 'LOG_FULL';
}

export function encodeValues(values: readonly Uint8Array[]): EncodedBatch {
  const builder = new BatchBuilder();
  const now = Date.now();
  for (const value of values) builder.add(null, value, now, null);
  return builder.build();
}
