import type { ReplicaIssue } from '../core/replica/replicated-state.js';
import type { ActorLogger } from './kernel/protocol.js';

/** So many of one kind are said as they come; the rest of the minute is counted. */
const MAX_SAID = 5;
const COUNTED_FOR_MS = 60_000;

/**
 * A replicated state passes over what it cannot use; people hear of it here. Anybody may write into the topic, so that
 * one line an entry could fill a disk.
 */
export function reportIssue(
  log: Pick<ActorLogger, 'warn'>,
  topic: string,
  countedForMs = COUNTED_FOR_MS,
): (issue: ReplicaIssue) => void {
  const met = new Map<ReplicaIssue['code'], { count: number; last: number }>();
  return ({ code, offset, message }) => {
    const seen = met.get(code);
    if (seen === undefined) {
      const first = { count: 1, last: offset };
      met.set(code, first);
      setTimeout(() => {
        met.delete(code);
        const unsaid = first.count - MAX_SAID;
        if (unsaid > 0)
          log.warn(
            { code, topic, offset: first.last },
            `${unsaid} more like this, up to this offset: ${message}`,
          );
      }, countedForMs).unref();
    } else {
      seen.count += 1;
      seen.last = offset;
      if (seen.count > MAX_SAID) return;
    }
    log.warn({ code, topic, offset }, message);
  };
}
