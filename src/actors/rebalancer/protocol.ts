import type {
  ConnectorEntry,
  Stall,
  StatusNote,
  StatusProgress,
  TargetState,
  UnitKey,
  UnitState,
} from '../../core/model.js';
import type { RebalancePlan } from '../../core/cluster/rebalance-plan.js';
import type { ClusterView } from '../discovery/protocol.js';
import type { Protocol } from '../kernel/protocol.js';

export interface AllocatedUnit {
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly generation: number;
  readonly state: UnitState;
  readonly config: Readonly<Record<string, string>>;
}

export interface RebalancerProtocol extends Protocol {
  tell: {
    clusterChanged: ClusterView;
    configsChanged: { connectors: readonly ConnectorEntry[] };
    /** A task's own word: it runs, is paused, is stuck in a call of its plugin since a time (ms since 1970), has skipped records. */
    taskState: {
      unit: UnitKey;
      epoch: number;
      /** Of the thread that says it: its end may be known before its last word. */
      incarnation: number;
      state: 'RUNNING' | 'PAUSED';
      stalled: Stall | null;
      skipped?: number;
      notes?: readonly StatusNote[];
      progress?: StatusProgress;
    };
  };
  ask: {
    /** Answers when the target state is another than `known`; a long poll of the tasks. */
    target: {
      request: { unit: UnitKey; epoch: number; known: TargetState | null };
      reply: { state: TargetState };
    };
    /** What moves, or why nothing does. Unless it is a dry run this node looks again what it has to do. */
    rebalance: { request: { dryRun: boolean }; reply: RebalancePlan };
    /** What this node runs. */
    allocated: { request: Record<string, never>; reply: { units: readonly AllocatedUnit[] } };
  };
}
