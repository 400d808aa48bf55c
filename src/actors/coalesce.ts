/**
 * Each node looks through all there is after a change. Of a large cluster later, at all changes of that while
 * together: a thousand nodes that claim ten thousand tasks would do little else than look at each other's claims.
 */
const ITEMS_PER_MS = 100;

export function paceMs(items: number): number {
  return Math.floor(items / ITEMS_PER_MS);
}

/** Runs `action` soon after a call, once for all calls within `ms`, which may be another each time. */
export function coalesce(ms: number | (() => number), action: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  return () => {
    timer ??= setTimeout(
      () => {
        timer = null;
        action();
      },
      typeof ms === 'number' ? ms : ms(),
    );
  };
}
