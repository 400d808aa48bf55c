import type { ExitReason } from '../actors/kernel/protocol.js';
import type { Suspect } from '../core/culprits.js';

/** What looks after something that all threads share; called each second. */
export interface SharedWatch {
  look(): void;
}

export interface Endable {
  /** Its thread is ended, as by a fault with this cause. */
  end(reason: ExitReason): void;
}

export interface WatchedThreads {
  /** Those that may be ended for the sake of the others. */
  suspects(): readonly Suspect<Endable>[];
  onProblem(message: string): void;
}

const ROUND_MS = 1000;

/** Returns how to end it. */
export function watchShared(watches: readonly SharedWatch[]): () => void {
  const timer = setInterval(() => {
    for (const watch of watches) watch.look();
  }, ROUND_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
