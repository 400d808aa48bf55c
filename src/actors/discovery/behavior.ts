import { randomUUID } from 'node:crypto';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
} from '../../core/cluster/cluster-machine.js';
import { Replica } from '../../core/replica/replicated-state.js';
import { ClusterEvents } from '../../core/cluster/cluster-events.js';
import { EventPages } from '../event-pages.js';
import { openPublisher } from '../log/open-grpc.js';
import { openLog } from '../log/open.js';
import { openReplicatedTopic } from '../../log/replicated-topic.js';
import { behavior } from '../kernel/behavior.js';
import { reportIssue } from '../replica-issues.js';
import { Membership } from './membership.js';
import type { DiscoveryParams, DiscoveryPeers } from './params.js';
import type { DiscoveryProtocol } from './protocol.js';

/** Membership, claims and statuses: the cluster topic as this node has read it, and this node's word in it. */
export default behavior<DiscoveryProtocol, DiscoveryPeers, DiscoveryParams>({
  async start(context) {
    const log = await openLog(context.params.logSettings, context);
    // A new incarnation for each start: what an earlier one claimed is released the moment this one joins.
    const self = { id: context.params.workerId, incarnation: randomUUID() };
    const replica = new Replica<ClusterState, ClusterEntry, ClusterResult>({
      machine: clusterMachine,
      port: await openReplicatedTopic(
        log,
        context.params.topic,
        await openPublisher(context.params.logSettings, context),
      ),
      writer: { node: self.id, incarnation: self.incarnation },
      onIssue: reportIssue(context.log, context.params.topic),
    });
    await replica.boot(context.signal);
    const events = followEvents(replica);
    const membership = new Membership(context, self, replica);
    await membership.join();
    return {
      handlers: {
        tell: {
          status: (status) => {
            membership.report(status);
          },
          acquit: ({ unit, epoch }) => {
            membership.acquit(unit, epoch);
          },
        },
        ask: {
          view: () => membership.view(),
          events: (request, { signal }) => events.page(request, signal),
          claim: (word) => membership.claim(word),
          drain: ({ node, drained }) => membership.drain(node, drained),
          quarantine: (request) => membership.quarantine(request),
          leaving: () => membership.announceLeave(),
          release: ({ unit, epoch }) => membership.release(unit, epoch),
        },
      },
      stop: () => membership.leave(),
    };
  },
});

/** From what the replica has read by now. */
function followEvents(replica: Replica<ClusterState, ClusterEntry, ClusterResult>): EventPages {
  const events = new ClusterEvents();
  events.begin(replica.state);
  const pages = new EventPages(() => replica.appliedOffset);
  replica.onApplied((entry, result, meta) => {
    pages.push(events.of(entry, result, meta, replica.state));
  });
  replica.onReplaced(() => {
    events.begin(replica.state);
    pages.reset();
  });
  return pages;
}
