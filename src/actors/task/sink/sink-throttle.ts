import type { Throttled } from '../throttling.js';
import type { FetchedBatch } from './sink-queue.js';

/** Where the throttle ends a delivery: behind as many records as it has room for, one at least. */
export function allowedTo(throttle: Throttled, { reader, next }: FetchedBatch): number {
  if (!throttle.limits) return Infinity;
  const { records, bytes } = throttle.allowance;
  if (bytes === Infinity) return next + records;
  let to = next;
  for (let left = bytes; left > 0 && to < reader.count && to - next < records; to += 1)
    left -= reader.size(to);
  return to;
}

/** The first `put` of these were put. Those that were dropped or skipped cost nothing. */
export function took(
  throttle: Throttled,
  { reader }: FetchedBatch,
  indexes: readonly number[],
  put: number,
): void {
  if (!throttle.limits) return;
  let bytes = 0;
  if (throttle.countsBytes) for (let i = 0; i < put; i += 1) bytes += reader.size(indexes[i] ?? 0);
  throttle.took(put, bytes);
}
