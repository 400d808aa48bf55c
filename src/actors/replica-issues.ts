import type { ReplicaIssue } from '../core/replica/replicated-state.js';
import type { ActorLogger } from './kernel/protocol.js';

/** A replicated state passes over what it cannot use; people hear of it here. */
export function reportIssue(log: ActorLogger, topic: string): (issue: ReplicaIssue) => void {
  return ({ code, offset, message }) => {
    log.warn({ code, topic, offset }, message);
  };
}
