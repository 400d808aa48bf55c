/** Which thread is to go when they all run short of something that the process has once. */
export interface Suspect<T> {
  readonly thread: T;
  /** What it says it holds in memory. */
  readonly bytes: number;
  /** So long it has said nothing: it may hold more by now. */
  readonly silentMs: number;
  /** Calls in the thread pool. */
  readonly poolCalls: number;
}

const SILENT_MS = 2000;
/** Less than this share of all, and its end would not help. */
const NOTABLE_SHARE = 0.1;

/** One whose loop stands still while memory grows, else the one that holds most, if that is worth mentioning. */
export function memoryCulprit<T>(suspects: readonly Suspect<T>[], limitBytes: number): Suspect<T> | null {
  const silent = most(
    suspects.filter(({ silentMs }) => silentMs >= SILENT_MS),
    ({ silentMs }) => silentMs,
  );
  if (silent !== null) return silent;
  const largest = most(suspects, ({ bytes }) => bytes);
  return largest !== null && largest.bytes >= NOTABLE_SHARE * limitBytes ? largest : null;
}

/** Of those whose calls can be seen the one that has most of them. */
export function poolCulprit<T>(suspects: readonly Suspect<T>[]): Suspect<T> | null {
  const found = most(suspects, ({ poolCalls }) => poolCalls);
  return found !== null && found.poolCalls > 0 ? found : null;
}

function most<T>(items: readonly T[], of: (item: T) => number): T | null {
  return items.reduce<T | null>((best, item) => (best === null || of(item) > of(best) ? item : best), null);
}
