import type { TaskMemory } from '../../core/task-heap.js';
import type { ActorSpec, Backoff, Intensity } from '../kernel/protocol.js';
import type { QuarantineRules } from '../../core/cluster/quarantine.js';
import type { TaskSettings } from '../task/protocol.js';
import type { ConfigSyncProtocol } from '../config-sync/protocol.js';
import type { LogProtocol } from '../log/protocol.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';

export interface RebalancerPeers {
  log: LogProtocol;
  discovery: DiscoveryProtocol;
  'config-sync': ConfigSyncProtocol;
}

/** How this node runs its tasks. */
export interface RebalancerParams {
  /** Tasks of this node that balance may have down at once: stopped here and not running elsewhere yet. */
  readonly maxMoves: number;
  readonly quarantine: QuarantineRules;
  /** What the thread of a task runs. */
  readonly taskCode: Pick<ActorSpec, 'module' | 'thread'>;
  /** Its `pluginPaths` are those of the parameters; a task is given those of installed packages as well. */
  readonly settings: TaskSettings;
  /** The node_modules whose packages are looked through for plugins; null: none. */
  readonly installedPlugins: string | null;
  readonly startDeadlineMs: number;
  readonly stopDeadlineMs: number;
  readonly beatDeadlineMs: number;
  readonly memory: TaskMemory;
  /** A task that has had nothing to do for so long gives up its thread; 0: none does. */
  readonly passivateAfterMs: number;
  readonly intensity: Intensity;
  readonly backoff: Backoff;
}
