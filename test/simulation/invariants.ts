import type { ClusterEntry, ClusterResult, ClusterState } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import { Ownership } from './ownership.js';
import { ProgressRules } from './progress-checks.js';
import { Reference, type Check } from './reference.js';
import { checkClaims, checkDeletions } from './entry-checks.js';
import type { Coverage } from './coverage.js';
import type { External } from './external.js';
import type { SimulatedTask } from './simulated-task.js';
import type { StoredValue } from './simulated-store.js';
import type { VirtualTime } from './virtual-time.js';
import {
  CLUSTER_TOPIC,
  CONFIG_TOPIC,
  OFFSET_TOPIC,
  POSITION_TOPIC,
  RECORDS_TOPIC,
  type Machines,
} from './world.js';

/** Where digests are compared: once they differ they stay so. */
const DIGEST_EVERY = 4;

/** The first thing that must not happen and did. */
export type Fail = (message: string) => void;

/**
 * Watches everything that is appended, applied and called. Each entry is judged when it comes to stand in the log,
 * by a fold over the whole history; each node, when it applies the entry, must come to the same result.
 */
export class Invariants {
  readonly cluster;
  readonly config;
  readonly positions;
  readonly offsets;
  readonly #ownership: Ownership;
  readonly #progress: ProgressRules;
  readonly #claims: Check<ClusterState, ClusterEntry, ClusterResult>;
  readonly #deletions: Check<ConfigState, ConfigEntry, ConfigResult>;
  readonly #coverage: Coverage;
  readonly #time: VirtualTime;
  readonly #fail: Fail = (message) => {
    this.#failure ??= message;
  };
  #trace: ((line: string) => void) | null = null;
  #failure: string | null = null;
  /** When the world last did something that the nodes must adjust to. */
  disturbedAt = 0;

  constructor(
    time: VirtualTime,
    coverage: Coverage,
    external: External,
    machines: Machines,
    exactlyOnce: boolean,
  ) {
    this.#time = time;
    this.#coverage = coverage;
    this.cluster = new Reference(machines.cluster, coverage);
    this.config = new Reference(machines.config, coverage);
    this.positions = new Reference(machines.positions, coverage);
    this.offsets = new Reference(machines.offsets, coverage);
    const disturbed = (): void => {
      this.disturbed();
    };
    this.#claims = checkClaims(coverage, disturbed, this.#fail);
    this.#deletions = checkDeletions(coverage, disturbed, this.#fail);
    this.#ownership = new Ownership(time, this.#fail);
    this.#progress = new ProgressRules(external, coverage, exactlyOnce, this.#fail);
  }

  /** Tells the whole story, to find out what went wrong. */
  traceTo(say: (line: string) => void): void {
    const from = (topic: string) => (line: string) => {
      if (!line.includes('"ALIVE"')) say(`${Math.round(this.#time.now)} ${topic} ${line}`);
    };
    this.#trace = from('world');
    this.cluster.trace = from(CLUSTER_TOPIC);
    this.config.trace = from(CONFIG_TOPIC);
    this.positions.trace = from(POSITION_TOPIC);
    this.offsets.trace = from(OFFSET_TOPIC);
  }

  /** Something to tell. */
  note(line: string): void {
    this.#trace?.(line);
  }

  /** After every step. */
  step(): void {
    this.#ownership.check();
    if (this.#failure !== null) throw new Error(this.#failure);
  }

  disturbed(): void {
    this.disturbedAt = this.#time.now;
  }

  /** Nothing more is appended. */
  end(): void {
    const references = [this.cluster, this.config, this.positions, this.offsets];
    for (const { torn } of references) this.#coverage.saw('snapshot torn', torn);
  }

  /** Something was appended. */
  stored(topic: string, value: StoredValue): void {
    switch (topic) {
      case CLUSTER_TOPIC:
        this.cluster.take(value, this.#claims);
        break;
      case CONFIG_TOPIC:
        this.config.take(value, (before, entry, by) => {
          const after = this.#deletions(before, entry, by);
          return (state, result) => {
            const { tasks } = state.connectors.get(entry.name) ?? { tasks: null };
            if (tasks !== null) this.#ownership.planned(entry.name, tasks.generation);
            after(state, result);
          };
        });
        break;
      case POSITION_TOPIC:
        this.positions.take(value, this.#progress.position);
        break;
      case OFFSET_TOPIC:
        this.offsets.take(value, this.#progress.offset);
        break;
      case RECORDS_TOPIC:
        this.note(`record ${new TextDecoder().decode(value.value)}`);
        this.#progress.recorded(value.value, this.cluster.state.claims);
        break;
    }
  }

  /** A node applied an entry. */
  applied(node: string, topic: string, offset: number, result: unknown, digest: () => string): void {
    const verdict = this.#reference(topic).verdict(offset);
    if (verdict === null) {
      this.#fail(`${node} took the entry at ${topic} ${offset} for one that counts`);
    } else if (JSON.stringify(verdict.result) !== JSON.stringify(result)) {
      const [is, should] = [JSON.stringify(result), JSON.stringify(verdict.result)];
      this.#fail(`invariant 4: at ${topic} ${offset} ${node} comes to ${is}, the log says ${should}`);
    } else if (verdict.digest !== null && offset % DIGEST_EVERY === 0 && verdict.digest !== digest()) {
      this.#fail(`invariant 4: at ${topic} ${offset} ${node} holds another state than the log says`);
    }
  }

  issue(node: string, topic: string, code: string, message: string): void {
    if (code === 'SNAPSHOT_NOT_WRITTEN') return;
    this.#fail(`${node} cannot use ${topic}: ${code} ${message}`);
  }

  exists(task: SimulatedTask): void {
    this.#ownership.exists(task);
  }

  takesOver(task: SimulatedTask, config: SimulatedTask['params']['config']): void {
    this.#ownership.takesOver(task, config);
  }

  ended(task: SimulatedTask): void {
    this.#ownership.ended(task);
  }

  called(task: SimulatedTask, call: string): void {
    this.#ownership.called(task, call);
  }

  /** A user was told that it is done: then it stands in the log, at this instant. */
  answered(entry: ConfigEntry, { entry: told }: Extract<ConfigResult, { ok: true }>): void {
    if (entry.type !== 'CONNECTOR') return;
    const written = this.config.verdict(told.version);
    if (written?.entry.type === 'CONNECTOR' && written.entry.name === entry.name && written.result.ok) return;
    this.wrong(`invariant 7: a write of ${entry.name} was answered, and is not in the log`);
  }

  wrong(message: string): void {
    this.#fail(message);
  }

  /** A source was told that it may forget what lies up to there. */
  committed(partition: string, at: number): void {
    this.#progress.committed(partition, at);
  }

  #reference(topic: string): Reference<unknown, unknown, unknown> {
    const references: Readonly<Record<string, unknown>> = {
      [CLUSTER_TOPIC]: this.cluster,
      [CONFIG_TOPIC]: this.config,
      [POSITION_TOPIC]: this.positions,
      [OFFSET_TOPIC]: this.offsets,
    };
    return references[topic] as Reference<unknown, unknown, unknown>;
  }
}
