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
  if (maxBytes !== null) checkSpace(tables, space, maxBytes, reserved);
  return targets.map(({ topicId, queue, batch }) => ({
    topicId,
    queue,
    base: tables.append(topicId, queue, batch, now),
    batch,
  }));
}

/** Only topics with `reserve` may use the last tenth. */
function checkSpace(tables: Tables, space: number, maxBytes: number, reserved: boolean): void {
  const limit = reserved ? maxBytes : Math.floor(maxBytes * 0.9);
  const used = tables.totalBytes();
  if (used + space <= limit) return;
  throw new LogError(
    'LOG_FULL',
    `the log is full: ${used} of ${maxBytes} bytes are used (a tenth is kept for the node's own topics). Raise the log's ` +
      `size limit, shorten the retention of its topics, or start the sinks that have not read them`,
  );
}
