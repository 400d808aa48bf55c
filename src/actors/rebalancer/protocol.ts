import type {
  ConnectorEntry,
  RunningConfig,
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
import type { PendingSignal, SignalBody, UnitAnswer } from '../../core/connectors/signals.js';

export interface AllocatedUnit {
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly generation: number;
  readonly state: UnitState;
  readonly config: Readonly<Record<string, string>>;
  /** Of a task: the newest version of its connector's config that it runs with, or has refused. */
  readonly version?: number;
}

/** What a task is to run with. */
export interface PlannedConfig {
  /** The connector's, with the task's own laid over it. */
  readonly config: Readonly<Record<string, string>>;
  /** Of the connector's config that it is from. */
  readonly version: number;
}

export interface DeliveredSignal extends SignalBody {
  readonly id: string;
  /** Of its entry in the log: a task is given those after the last it has seen. */
  readonly offset: number;
}

export interface RebalancerProtocol extends Protocol {
  tell: {
    clusterChanged: ClusterView;
    /** `signals`: those that are not answered; absent: none. */
    configsChanged: { connectors: readonly ConnectorEntry[]; signals?: readonly PendingSignal[] };
    /** A task wants its connector planned again. */
    replanWanted: { unit: UnitKey };
    /** A task has written to these topics, or read them. */
    topicsUsed: { connector: string; topics: readonly string[] };
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
      config?: RunningConfig;
    };
  };
  ask: {
    /**
     * Answers when the target state is another than `known`, there are signals for the task after the one at offset `seen`
     * (absent: it has seen none), or it is to run with a newer config than that of `version`, which it takes over where it was started
     * for `generation`; a long poll of the tasks.
     */
    target: {
      request: {
        unit: UnitKey;
        epoch: number;
        known: TargetState | null;
        seen?: number;
        running?: { generation: number; version: number };
      };
      reply: { state: TargetState; signals?: readonly DeliveredSignal[]; config?: PlannedConfig };
    };
    /** A task's answer: durable when it is answered. SIGNAL_NOT_FOUND: nobody waits for it any more. */
    answerSignal: {
      request: { unit: UnitKey; id: string; answer: UnitAnswer };
      reply: Record<string, never>;
    };
    /** What moves, or why nothing does. Unless it is a dry run this node looks again what it has to do. */
    rebalance: { request: { dryRun: boolean }; reply: RebalancePlan };
    /** What this node runs. */
    allocated: { request: Record<string, never>; reply: { units: readonly AllocatedUnit[] } };
  };
}
