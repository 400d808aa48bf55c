import type { ClusterEntry, ClusterResult, ClusterState } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import type { QuarantineRules } from '#troupe/core/cluster/quarantine.js';
import type { Machine } from '#troupe/core/replica/machine.js';
import type {
  OffsetEntry,
  OffsetState,
  PositionEntry,
  PositionState,
  ProgressResult,
} from '#troupe/core/progress/progress-machine.js';
import type { SnapshotPolicy } from '#troupe/core/replica/replicated-state.js';
import type { Coverage } from './coverage.js';
import type { External } from './external.js';
import type { Invariants } from './invariants.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import type { SimulatedStore } from './simulated-store.js';
import type { VirtualTime } from './virtual-time.js';

export const HEARTBEAT_MS = 1000;
/** Shorter than the defaults, and in about the same proportion: more is seen of what they are for. */
export const LEASE_MS = 2000;
export const EVICTION_MS = 3200;

/** More than there are tasks in most runs. */
export const MAX_MOVES = 20;

export const CLUSTER_TOPIC = 'cluster';
export const CONFIG_TOPIC = 'config';
export const POSITION_TOPIC = 'position';
export const OFFSET_TOPIC = 'offset';
export const RECORDS_TOPIC = 'records';
export const RECORD_QUEUES = 2;

/** Often, in small parts and small appends, so that snapshots are torn and interleaved. */
export const SNAPSHOTS: SnapshotPolicy = {
  entries: 60,
  bytes: 1e9,
  partBytes: 500,
  appendBytes: 900,
  timesNewest: 0,
};

/** The real ones; a mutation takes one rule out of one of them. */
export interface Machines {
  readonly cluster: Machine<ClusterState, ClusterEntry, ClusterResult>;
  readonly config: Machine<ConfigState, ConfigEntry, ConfigResult>;
  readonly positions: Machine<PositionState, PositionEntry, ProgressResult>;
  readonly offsets: Machine<OffsetState, OffsetEntry, ProgressResult>;
}

/** What all nodes have in common. */
export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly external: External;
  readonly invariants: Invariants;
  readonly coverage: Coverage;
  readonly machines: Machines;
  /** False: tasks do not look at it. */
  readonly leaseChecked: boolean;
  readonly quarantine: QuarantineRules;
}
