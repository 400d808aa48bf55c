import { BatchReader } from '../../log/batch.js';
import { LogError, type Log, type QueueRange } from '../../log/log.js';
import type { SinkOffset } from '../../core/progress/progress-machine.js';
import type { QueueLag } from './protocol.js';

/**
 * How far a sink is behind in each queue: by the records that wait there, and by the time that the oldest of them has waited.
 * One record of each queue that has some is read for it.
 */
export async function sinkLag(
  log: Pick<Log, 'ranges' | 'read'>,
  offsets: readonly SinkOffset[],
  now: number,
): Promise<readonly QueueLag[]> {
  const ranges = new Map<string, readonly QueueRange[]>();
  const lags: QueueLag[] = [];
  for (const { topic, queue, offset } of offsets) {
    const known = ranges.get(topic) ?? (await rangesOf(log, topic));
    ranges.set(topic, known);
    const range = known.find((each) => each.queue === queue);
    if (range === undefined) continue;
    // What retention has deleted does not wait any more.
    const next = Math.max(offset, range.startOffset);
    const records = Math.max(0, range.endOffset - next);
    const since = records === 0 ? null : await timeOf(log, topic, queue, next);
    const seconds = since === null ? 0 : Math.max(0, (now - since) / 1000);
    lags.push({ topic, queue, records, seconds: Math.round(seconds * 1000) / 1000 });
  }
  return lags;
}

/** None of a topic that is gone. */
async function rangesOf(log: Pick<Log, 'ranges'>, topic: string): Promise<readonly QueueRange[]> {
  try {
    return await log.ranges(topic);
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC') return [];
    throw error;
  }
}

/** null: retention was faster. */
async function timeOf(
  log: Pick<Log, 'read'>,
  topic: string,
  queue: number,
  offset: number,
): Promise<number | null> {
  const { batches } = await log.read({ topic, queue, offset, maxBytes: 1, maxRecords: 1, waitMs: 0 });
  const [first] = batches;
  if (first === undefined) return null;
  const reader = BatchReader.open(first.batch.bytes);
  const index = Math.max(0, offset - first.baseOffset);
  return index < reader.count ? reader.timestamp(index) : null;
}
