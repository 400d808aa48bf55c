import { configMachine } from '#troupe/core/connectors/config-machine.js';
import { clusterMachine } from '#troupe/core/cluster/cluster-machine.js';
import { unitKey, type UnitKey } from '#troupe/core/model.js';
import { offsetMachine, positionMachine } from '#troupe/core/progress/progress-machine.js';
import { Coverage } from './coverage.js';
import { External } from './external.js';
import { Invariants } from './invariants.js';
import { MACHINES } from './mutations.js';
import { Network } from './network.js';
import { REBALANCER } from './node-settings.js';
import { Random } from './random.js';
import { HEARTBEAT_MS, ScaleNode, type SharedStates } from './scale-node.js';
import { SharedReplica } from './scale-replicas.js';
import { less, type Rates, type ScaleResult } from './scale-result.js';
import { connectorConfig } from './scale-tasks.js';
import { ScaleTopics, TOPICS, type TopicName, type Written } from './scale-topics.js';
import { SimulatedStore } from './simulated-store.js';
import { useVirtualTime } from './virtual-globals.js';
import { Process, VirtualTime } from './virtual-time.js';
import { CLUSTER_TOPIC, CONFIG_TOPIC, OFFSET_TOPIC, POSITION_TOPIC, type World } from './world.js';

export interface ScaleSettings {
  readonly seed: number;
  readonly nodes: number;
  readonly tasks: number;
  readonly tasksPerConnector: number;
  /** Real copies of the cluster's state and of the configs; the nodes are shared out among them. */
  readonly copies: number;
  readonly steadyMs: number;
  readonly onPhase?: (phase: string) => void;
}

/** How often it is looked whether the cluster is where it should be. */
const LOOK_MS = 50;
const GIVE_UP_MS = 120_000;
/** The copies of what tasks write are looked at by nobody but the tasks that start. */
const PROGRESS_COPIES = 4;

/** Clocks that run alike: what drift does is the other simulation's subject. */
class Middle extends Random {
  override next(bound: number): number {
    return bound >>> 1;
  }
}

/** A large cluster of the real code in a calm world, and what it writes to the log. */
export class ScaleSimulation {
  readonly #settings: ScaleSettings;
  readonly #time = new VirtualTime();
  readonly #random: Random;
  readonly #topics: ScaleTopics;
  readonly #world: World;
  readonly #shared: readonly SharedStates[];
  readonly #following = new AbortController();
  #nodes: ScaleNode[] = [];
  #crash: string | null = null;

  constructor(settings: ScaleSettings) {
    this.#settings = settings;
    const time = this.#time;
    const random = new Random(settings.seed);
    this.#random = random;
    this.#topics = new ScaleTopics(time, random);
    this.#world = calmWorld(time, random);
    const shared: SharedStates[] = [];
    for (let i = 0; i < Math.min(settings.copies, settings.nodes); i += 1)
      shared.push(this.#copies(i, shared[i % PROGRESS_COPIES]));
    this.#shared = shared;
  }

  async run(): Promise<ScaleResult> {
    const giveBack = useVirtualTime(this.#time, this.#random);
    try {
      return await this.#play();
    } finally {
      this.#following.abort();
      giveBack();
    }
  }

  async #play(): Promise<ScaleResult> {
    const { nodes, tasks, tasksPerConnector } = this.#settings;
    this.#follow();
    for (let i = 0; i < nodes; i += 1) this.#begin(i);
    const formedMs = await this.#until('all nodes are members', () => this.#notMembers());
    const [first] = this.#nodes;
    if (first === undefined) throw new Error('no nodes');
    first.run(() => {
      for (let i = 0; i * tasksPerConnector < tasks; i += 1) {
        const config = connectorConfig(i, Math.min(tasksPerConnector, tasks - i * tasksPerConnector));
        void first.states.config.submit({ type: 'CONNECTOR', name: `connector-${i}`, config });
      }
    });
    const placedMs = await this.#until('all tasks run', () => this.notConverged());
    await this.#runFor(3 * HEARTBEAT_MS);
    const steady = await this.#rates(this.#settings.steadyMs);
    first.run(() => {
      const config = { ...connectorConfig(0, tasksPerConnector), 'batch.max.rows': '2000' };
      void first.states.config.submit({ type: 'CONNECTOR', name: 'connector-0', config });
    });
    const changedAt = this.#time.now;
    const afterChange = await this.#rates(1000);
    await this.#until('the changed connector runs', () => this.notConverged());
    const changedMs = this.#time.now - changedAt;
    const before = this.#writtenNow();
    const killed = this.#kill(Math.max(1, Math.round(nodes / 10)));
    const convergedMs = await this.#until('the tasks of the dead run', () => this.notConverged());
    const after = this.#writtenNow();
    const loads = this.#nodes.map(({ tasks: running }) => running.size);
    const digestsCompared = await this.#compareDigests();
    const perTopic = TOPICS.map((topic) => [topic, less(after[topic], before[topic])]);
    return {
      formedMs,
      placedMs,
      steady,
      afterChange,
      changedMs,
      killed,
      convergedMs,
      writtenByThen: Object.fromEntries(perTopic) as ScaleResult['writtenByThen'],
      kinds: this.#topics.kinds,
      steps: this.#time.events,
      running: loads.reduce((sum, load) => sum + load, 0),
      loadsDifferBy: Math.max(...loads) - Math.min(...loads),
      digestsCompared,
    };
  }

  #copies(i: number, progress: SharedStates | undefined): SharedStates {
    const [topics, time] = [this.#topics, this.#time];
    return {
      cluster: new SharedReplica(`copy-${i}`, CLUSTER_TOPIC, clusterMachine, topics, time),
      config: new SharedReplica(`copy-${i}`, CONFIG_TOPIC, configMachine, topics, time),
      positions:
        progress?.positions ?? new SharedReplica(`copy-${i}`, POSITION_TOPIC, positionMachine, topics, time),
      offsets: progress?.offsets ?? new SharedReplica(`copy-${i}`, OFFSET_TOPIC, offsetMachine, topics, time),
    };
  }

  #follow(): void {
    const copies = this.#shared.flatMap(({ cluster, config, positions, offsets }) => [
      cluster,
      config,
      positions,
      offsets,
    ]);
    for (const copy of new Set(copies)) {
      copy.follow(this.#following.signal).catch((error: unknown) => {
        this.#crash ??= String(error);
      });
    }
  }

  #begin(i: number): void {
    const id = `node-${String(i + 1).padStart(4, '0')}`;
    // As long as a UUID.
    const incarnation = `00000000-0000-4000-8000-${String(i + 1).padStart(12, '0')}`;
    const shared = this.#shared[i % this.#shared.length];
    if (shared === undefined) return;
    const process = new Process(new Middle(0));
    const node = new ScaleNode(this.#world, this.#topics, { id, incarnation }, process, shared, (message) => {
      this.#crash ??= message;
    });
    this.#nodes.push(node);
    // All within a second, so that their heartbeats are spread as well.
    this.#time.after(this.#random.next(1000), () => node.start(), null);
  }

  #kill(count: number): number {
    for (let i = 0; i < count; i += 1) {
      const victim = this.#random.pick(this.#nodes);
      if (victim === undefined) break;
      victim.process.dead = true;
      this.#nodes = this.#nodes.filter((node) => node !== victim);
    }
    return count;
  }

  async #runFor(ms: number): Promise<void> {
    await this.#time.runUntil(this.#time.now + ms, () => {
      if (this.#crash !== null) throw new Error(this.#crash);
    });
  }

  /** How long it took. */
  async #until(what: string, missing: () => string | null): Promise<number> {
    const from = this.#time.now;
    for (;;) {
      await this.#runFor(LOOK_MS);
      const lacks = missing();
      const took = this.#time.now - from;
      if (lacks === null) {
        this.#settings.onPhase?.(`${what} after ${took} ms, ${this.#time.events} steps`);
        return took;
      }
      if (took % 2000 < LOOK_MS) this.#settings.onPhase?.(`not yet that ${what}: ${lacks}`);
      if (took > GIVE_UP_MS) throw new Error(`waited in vain until ${what}: ${lacks}`);
    }
  }

  async #rates(ms: number): Promise<Rates> {
    const before = this.#writtenNow();
    await this.#runFor(ms);
    const after = this.#writtenNow();
    const rates = TOPICS.map((topic) => {
      const written = less(after[topic], before[topic]);
      const aSecond = (count: number): number => Math.round((count * 1000) / ms);
      return [
        topic,
        {
          messages: aSecond(written.messages),
          bytes: aSecond(written.bytes),
          snapshotBytes: aSecond(written.snapshotBytes),
        },
      ];
    });
    this.#settings.onPhase?.(`measured ${ms} ms, ${this.#time.events} steps`);
    return Object.fromEntries(rates) as Rates;
  }

  #writtenNow(): Readonly<Record<TopicName, Written>> {
    return Object.fromEntries(TOPICS.map((topic) => [topic, this.#topics.written(topic)])) as Readonly<
      Record<TopicName, Written>
    >;
  }

  #notMembers(): string | null {
    for (const { cluster } of this.#shared) {
      const ready = [...cluster.replica.state.members.values()].filter(({ joining }) => joining !== true);
      if (ready.length !== this.#nodes.length) return `${ready.length} are`;
    }
    return null;
  }

  /** Each task runs once, where it is claimed; loads are even; all copies are the same. */
  notConverged(): string | null {
    const members = this.#notMembers();
    if (members !== null) return members;
    const [shared] = this.#shared;
    if (shared === undefined) return 'nothing is there';
    for (const { cluster, config } of this.#shared) {
      if (cluster.replica.digest() !== shared.cluster.replica.digest()) return 'digests differ';
      if (config.replica.digest() !== shared.config.replica.digest()) return 'digests of configs differ';
    }
    const { claims } = shared.cluster.replica.state;
    const { connectors } = shared.config.replica.state;
    const wanted = wantedTasks(connectors);
    if (wanted === null) return 'not all are planned';
    let running = 0;
    const loads: number[] = [];
    for (const { tasks, self } of this.#nodes) {
      loads.push(tasks.size);
      running += tasks.size;
      for (const [unit, { params, started }] of tasks) {
        const claim = claims.get(unit);
        const right = claim?.epoch === params.epoch && claim.node.incarnation === self.incarnation;
        if (!right) return `${unit} runs on ${self.id} and is claimed otherwise`;
        if (!started) return `${unit} is starting`;
        const generation = wanted.get(unit);
        if (generation !== params.generation) return `${unit} runs for an older config`;
      }
    }
    // None twice: each has the one claim there is.
    if (running !== this.#settings.tasks) return `${running} tasks run`;
    const spread = Math.max(...loads) - Math.min(...loads);
    return spread > 1 ? `loads differ by ${spread}` : null;
  }

  /** Of progress as well, once nothing is written any more. */
  async #compareDigests(): Promise<number> {
    for (const { process } of this.#nodes) process.dead = true;
    await this.#runFor(200);
    let compared = 0;
    for (const kind of ['cluster', 'config', 'positions', 'offsets'] as const) {
      const copies = [...new Set(this.#shared.map((shared) => shared[kind].replica))];
      compared += copies.length;
      const [digest] = copies.map((replica) => replica.digest());
      if (copies.some((replica) => replica.digest() !== digest))
        throw new Error(`the copies of ${kind} differ`);
    }
    return compared;
  }
}

function wantedTasks(
  connectors: SharedStates['config']['replica']['state']['connectors'],
): Map<UnitKey, number> | null {
  const wanted = new Map<UnitKey, number>();
  for (const { name, tasks, version } of connectors.values()) {
    if (tasks?.connectorVersion !== version) return null;
    for (let task = 0; task < tasks.configs.length; task += 1)
      wanted.set(unitKey({ connector: name, task }), tasks.generation);
  }
  return wanted;
}

function calmWorld(time: VirtualTime, random: Random): World {
  const coverage = new Coverage();
  const external = new External(coverage);
  const network = new Network(time, random, false, () => undefined);
  network.calm = true;
  const capabilities = { atomicAppend: true, fencing: true, trim: true, maxRecordBytes: 1_000_000 };
  return {
    time,
    random,
    network,
    store: new SimulatedStore(
      capabilities,
      () => time.now,
      () => undefined,
    ),
    external,
    invariants: new Invariants(time, coverage, external, MACHINES, true),
    coverage,
    machines: MACHINES,
    leaseChecked: true,
    quarantine: REBALANCER.quarantine,
  };
}
