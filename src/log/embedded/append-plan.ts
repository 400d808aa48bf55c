import { LogError } from '../log.js';
import type { AppendRequest, EncodedBatch } from '../log.js';
import { spaceOf } from './keys.js';
import type { Tables } from './tables.js';

export interface Appended {
  readonly topicId: number;
  readonly queue: number;
  readonly base: number;
  readonly batch: EncodedBatch;
}

/** Stages all entries, or refuses the request. For `GroupCommit`. */
export function planAppend(
  tables: Tables,
  request: AppendRequest,
  { maxBytes, now }: { readonly maxBytes: number | null; readonly now: number },
): readonly Appended[] {
  if (request.fence !== undefined) tables.checkFence(request.fence);
  let space = 0;
  let reserved = true;
  const targets = request.entries.map(({ topic, queue, batch }) => {
    const meta = tables.existing(topic);
    tables.queue(topic, meta, queue);
    space += spaceOf(batch.bytes.byteLength);
    reserved &&= meta.reserve;
    return { topicId: meta.id, queue, batch };
  });
  if (!reserved) {
    tables.markRecords();
    if (maxBytes !== null) checkSpace(tables, space, maxBytes);
  }
  return targets.map(({ topicId, queue, batch }) => ({
    topicId,
    queue,
    base: tables.append(topicId, queue, batch, now),
    batch,
  }));
}

/** Of the records alone: what the node's own topics take is bounded by their snapshots. */
function checkSpace(tables: Tables, space: number, maxBytes: number): void {
  const limit = Math.floor(maxBytes * 0.9);
  // What all batches take is at hand; what is the node's own is looked for only where it matters.
  if (tables.totalBytes() + space <= limit) return;
  const used = tables.totalBytes() - tables.reservedBytes();
  if (used + space <= limit) return;
  throw new LogError(
    'LOG_FULL',
    `the log is full: its records take ${used} bytes, and store.max.bytes is ${maxBytes}, of which a tenth is kept for the node's own topics. ` +
      `Start the sinks that have not read them, or delete those that never will, so that retention can make room; or raise store.max.bytes`,
  );
}
