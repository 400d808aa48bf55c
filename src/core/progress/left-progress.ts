import { newestEpoch, type ProgressState } from './progress-rules.js';

export interface LeftProgress {
  readonly connector: string;
  /** DROP it unless a task was opened since this epoch. */
  readonly upTo: number;
  readonly size: number;
}

/**
 * What deleted connectors have left, beyond what may be kept for those that come back under their names: the largest
 * first, so that the many small ones stay.
 */
export function leftBeyond<T>(
  state: ProgressState<T>,
  present: { has(connector: string): boolean },
  max: number,
): readonly LeftProgress[] {
  const left: LeftProgress[] = [];
  let total = 0;
  for (const [connector, { items, fences }] of state.connectors) {
    if ((items.size === 0 && fences.size === 0) || present.has(connector)) continue;
    // Also one without items is remembered.
    const size = Math.max(1, items.size);
    left.push({ connector, upTo: newestEpoch(state, connector), size });
    total += size;
  }
  const beyond: LeftProgress[] = [];
  for (const one of left.sort((a, b) => b.size - a.size)) {
    if (total <= max) break;
    total -= one.size;
    beyond.push(one);
  }
  return beyond;
}
