import { parseUnitKey } from '../../core/model.js';
import type { Log } from '../../log/log.js';
import { behavior } from '../kernel/behavior.js';
import { isNodeStopping } from '../kernel/lease.js';
import type { ActorContext, RunningActor } from '../kernel/protocol.js';
import { openLog } from '../log/open.js';
import { NodeState } from './node-state.js';
import type { RebalancerParams, RebalancerPeers } from './params.js';
import type { RebalancerProtocol } from './protocol.js';
import { Rebalancer } from './rebalancer.js';
import { Targets } from './targets.js';

/** Longer than a status takes to be shown, also in a large cluster. */
const REPEAT_MS = 5000;

type RebalancerContext = ActorContext<RebalancerPeers, RebalancerParams>;

/** Makes this node run what the claims say: decides by core's pure rules, claims, starts, stops and releases. */
export default behavior<RebalancerProtocol, RebalancerPeers, RebalancerParams>({
  start: (context) => startRebalancer(context, () => openLog(context.params.settings.logSettings, context)),
});

export async function startRebalancer(
  context: RebalancerContext,
  openLogOf: () => Promise<Log>,
): Promise<RunningActor<RebalancerProtocol>> {
  const { 'config-sync': configSync } = context.peers;
  const state = new NodeState();
  const targets = new Targets(state);
  const rebalancer = new Rebalancer(context, state, openLogOf);
  // First, or an exit right after the children were listed would not be heard of.
  context.system.watch('tasks', (event) => {
    rebalancer.onTaskEvent(event);
  });
  await rebalancer.adoptRunning();
  const repeating = setInterval(() => {
    rebalancer.repeatStatuses();
  }, REPEAT_MS);
  return {
    handlers: {
      tell: {
        clusterChanged: (view) => {
          if (state.setCluster(view)) rebalancer.step();
        },
        configsChanged: ({ connectors, signals = [] }) => {
          state.setConfigs(connectors);
          state.setSignals(signals);
          targets.changed();
          rebalancer.followConfigs();
          rebalancer.step();
        },
        replanWanted: ({ unit }) => {
          rebalancer.replanRequests.ask(parseUnitKey(unit).connector);
        },
        topicsUsed: (used) => {
          configSync.tell('topicsUsed', used);
        },
        taskState: (word) => {
          rebalancer.onTaskState(word);
        },
      },
      ask: {
        target: (request, call) => targets.next(request, call.signal),
        answerSignal: (request) => rebalancer.signals.answer(request),
        rebalance: ({ dryRun }) => rebalancer.rebalance(dryRun),
        allocated: () => ({ units: rebalancer.allocated() }),
      },
    },
    stop: async () => {
      clearInterval(repeating);
      await rebalancer.stopWatching();
      // Of a restart of this actor alone the tasks notice nothing.
      if (!isNodeStopping(context.lease)) return;
      await rebalancer.leave().catch((error: unknown) => {
        context.log.warn(
          { err: error },
          'could not give the tasks away; others take them when this node is offline',
        );
      });
    },
  };
}
