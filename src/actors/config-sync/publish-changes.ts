import { pendingSignals } from '../../core/connectors/signals.js';
import { coalesce, paceMs } from '../coalesce.js';
import type { Ref } from '../kernel/protocol.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';
import type { ConfigReplica } from './cold-start.js';

const PUBLISH_AFTER_MS = 5;
/** Until a mailbox that was full is tried again. */
const AGAIN_AFTER_MS = 1000;

interface Peers {
  readonly persistence: Ref<PersistenceProtocol>;
  readonly rebalancer: Ref<RebalancerProtocol>;
}

/** Persistence and the rebalancer hear of every change, and of everything when they come up. */
export function publishChanges({ persistence, rebalancer }: Peers, replica: ConfigReplica): void {
  const publishAfterMs = (): number => PUBLISH_AFTER_MS + paceMs(replica.state.inner.connectors.size);
  const publish = coalesce(publishAfterMs, () => {
    const { inner, life } = replica.state;
    const connectors = [...inner.connectors.values()];
    const from = { life, offset: replica.appliedOffset };
    const saved = persistence.tell('configs', { connectors, booted: new Map(inner.booted), from });
    const signals = pendingSignals(inner.signals);
    const told = rebalancer.tell('configsChanged', { connectors, signals });
    if ((persistence.up && !saved) || (rebalancer.up && !told)) again();
  });
  const again = coalesce(AGAIN_AFTER_MS, publish);
  replica.onApplied(publish);
  replica.onReplaced(publish);
  for (const peer of [persistence, rebalancer]) {
    peer.onChange((up) => {
      if (up) publish();
    });
  }
}
