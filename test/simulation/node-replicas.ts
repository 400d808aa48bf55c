import type { ClusterEntry, ClusterResult, ClusterState } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import type { Machine } from '#troupe/core/replica/machine.js';
import { parseUnitKey, type NodeRef, type UnitKey } from '#troupe/core/model.js';
import {
  offsetsOf,
  partsOf,
  positionsOf,
  uncoveredOf,
  type OffsetEntry,
  type OffsetState,
  type PositionEntry,
  type PositionState,
  type ProgressResult,
} from '#troupe/core/progress/progress-machine.js';
import { Replica } from '#troupe/core/replica/replicated-state.js';
import type { UnitProgress } from '#troupe/actors/persistence/protocol.js';
import { LogError } from '#troupe/log/log.js';
import { Connection } from './connection.js';
import type { Thread } from './virtual-time.js';
import { CLUSTER_TOPIC, CONFIG_TOPIC, OFFSET_TOPIC, POSITION_TOPIC, SNAPSHOTS, type World } from './world.js';

/** The four replicated states of one life of a node. */
export class NodeReplicas {
  readonly cluster: Replica<ClusterState, ClusterEntry, ClusterResult>;
  readonly config: Replica<ConfigState, ConfigEntry, ConfigResult>;
  readonly positions: Replica<PositionState, PositionEntry, ProgressResult>;
  readonly offsets: Replica<OffsetState, OffsetEntry, ProgressResult>;
  readonly #world: World;
  readonly #connection: Connection;
  readonly #self: NodeRef;
  #following = false;

  constructor(world: World, self: NodeRef, thread: Thread) {
    this.#world = world;
    this.#self = self;
    this.#connection = new Connection(world, thread);
    const { machines } = world;
    this.cluster = this.#replica(machines.cluster, CLUSTER_TOPIC);
    this.config = this.#replica(machines.config, CONFIG_TOPIC);
    this.positions = this.#replica(machines.positions, POSITION_TOPIC);
    this.offsets = this.#replica(machines.offsets, OFFSET_TOPIC);
  }

  /** All but the cluster's, which the membership follows. */
  follow(onEnd: (error: unknown) => void): void {
    this.#following = true;
    for (const replica of [this.config, this.positions, this.offsets]) {
      replica.follow(new AbortController().signal).catch(onEnd);
    }
  }

  /** As persistence does it: nothing that an older owner of the unit still writes counts from here on. */
  async open(unit: UnitKey, epoch: number, kind: 'source' | 'sink'): Promise<UnitProgress> {
    await this.#connection.log().fence({ key: unit, epoch });
    const replica = kind === 'source' ? this.positions : this.offsets;
    const result = await replica.submit({ type: 'FENCE', unit, epoch });
    if (!result.ok) throw new LogError('LOG_FENCED', result.message);
    const { connector } = parseUnitKey(unit);
    return {
      positions: positionsOf(this.positions.state, connector),
      offsets: offsetsOf(this.offsets.state, connector),
      uncovered: uncoveredOf(this.positions.state, unit),
      parts: partsOf(this.positions.state, connector),
    };
  }

  #replica<S, E, R>(machine: Machine<S, E, R>, topic: string): Replica<S, E, R> {
    const { invariants, coverage } = this.#world;
    const { id, incarnation } = this.#self;
    const replica: Replica<S, E, R> = new Replica({
      machine,
      port: this.#connection.port(topic),
      writer: { node: id, incarnation },
      snapshots: SNAPSHOTS,
      onIssue: ({ code, message }) => {
        invariants.issue(id, topic, code, message);
      },
    });
    replica.onApplied((_entry, result, { offset }) => {
      invariants.applied(id, topic, offset, result, () => replica.digest());
    });
    replica.onReplaced(() => {
      coverage.saw(this.#following ? 'replica overtaken by trimming' : 'state begun from a snapshot');
    });
    return replica;
  }
}
