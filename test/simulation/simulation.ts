import { Coverage } from './coverage.js';
import { External } from './external.js';
import { differing, notConverged, waitingUnits } from './convergence.js';
import { Faults } from './faults.js';
import { Invariants } from './invariants.js';
import { machinesWithout, type Mutation } from './mutations.js';
import { Network } from './network.js';
import { Random } from './random.js';
import { SimulatedNode } from './simulated-node.js';
import { SimulatedStore } from './simulated-store.js';
import { Users } from './users.js';
import { useVirtualTime } from './virtual-globals.js';
import { VirtualTime } from './virtual-time.js';
import {
  CLUSTER_TOPIC,
  CONFIG_TOPIC,
  HEARTBEAT_MS,
  OFFSET_TOPIC,
  POSITION_TOPIC,
  RECORD_QUEUES,
  RECORDS_TOPIC,
  type World,
} from './world.js';

export interface Settings {
  readonly seed: number;
  readonly nodes: number;
  /** The log appends records and positions together, and refuses what is fenced; else messages may come twice. */
  readonly embedded: boolean;
  readonly mutation: Mutation | null;
  /** At so many deaths of nodes a task is: they die here all the time, and not by what it does. 0: never. */
  readonly quarantinedAt: number;
  readonly trace?: ((line: string) => void) | undefined;
}

/** Invariant 4's limit. */
const CONVERGED_MS = 3 * HEARTBEAT_MS;
/** How often it is looked whether they have. */
const STEP_MS = 150;
/** For the others to notice who is gone. */
const SETTLE_MS = 30_000;
/** For the nodes to clear all tasks of suspicion, half of them at a time. */
const CLEARED_MS = 600_000;

/** Most clusters are small; every thousandth seed has thirty nodes, and every ten thousandth a hundred. */
export function settingsOf(seed: number, mutation: Mutation | null = null): Settings {
  const random = new Random(seed ^ 0x5eed);
  const small = random.pick([2, 2, 2, 2, 2, 3, 3, 3, 4, 5]) ?? 3;
  const nodes = seed % 10_000 === 9999 ? 100 : seed % 1000 === 999 ? 30 : small;
  const embedded = random.chance(50);
  const quarantinedAt = random.chance(25) ? 1 + random.next(3) : 0;
  return { seed, nodes, embedded, mutation, quarantinedAt };
}

/** A cluster of the real code in a world that is made up from a seed. */
export class Simulation {
  readonly coverage = new Coverage();
  readonly #world: World;
  readonly #random: Random;
  readonly #lives = new Map<string, SimulatedNode>();
  readonly #faults: Faults;
  readonly #users: Users;
  readonly #settings: Settings;
  #incarnations = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { seed, embedded, mutation, quarantinedAt } = settings;
    const random = new Random(seed);
    const time = new VirtualTime();
    const external = new External(this.coverage);
    const machines = machinesWithout(mutation);
    const invariants = new Invariants(time, this.coverage, external, machines, embedded);
    if (settings.trace !== undefined) invariants.traceTo(settings.trace);
    const network = new Network(time, random, !embedded, () => {
      invariants.disturbed();
    });
    const capabilities = {
      atomicAppend: embedded,
      fencing: embedded && mutation !== 'fence',
      trim: true,
      maxRecordBytes: 1_000_000,
    };
    const store = new SimulatedStore(
      capabilities,
      () => time.now,
      (topic, stored) => {
        invariants.stored(topic, stored);
      },
    );
    for (const topic of [CLUSTER_TOPIC, CONFIG_TOPIC, POSITION_TOPIC, OFFSET_TOPIC])
      store.createTopic(topic, 1);
    store.createTopic(RECORDS_TOPIC, RECORD_QUEUES);
    const { coverage } = this;
    const leaseChecked = mutation !== 'lease';
    this.#random = random;
    this.#world = {
      time,
      random,
      network,
      store,
      external,
      invariants,
      coverage,
      machines,
      leaseChecked,
      quarantine: { deaths: quarantinedAt, periodMs: 3_600_000 },
    };
    this.#users = new Users(this.#world, () => this.#live());
    this.#faults = new Faults(this.#world, {
      live: () => this.#live(),
      absent: () => this.#absent(),
      end: (node) => {
        this.#end(node);
      },
      begin: (id) => {
        this.#begin(id);
      },
    });
  }

  /** Throws what went wrong, with the seed and the step. */
  async run(): Promise<void> {
    const { time, random } = this.#world;
    const giveBack = useVirtualTime(time, random);
    try {
      await this.#play();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const { seed, nodes, embedded } = this.#settings;
      const log = embedded ? 'an embedded log' : 'a log without fences';
      const where = `seed ${seed}, step ${time.events}, ${Math.round(time.now)} ms, ${nodes} nodes on ${log}`;
      throw new Error(`${what} (${where})`, { cause: error });
    } finally {
      this.#world.invariants.end();
      giveBack();
    }
  }

  async #play(): Promise<void> {
    const { nodes } = this.#settings;
    for (let i = 1; i <= nodes; i += 1) this.#begin(`n${i}`);
    const trouble = (2500 + this.#random.next(5500)) * (this.#random.chance(15) ? 3 : 1);
    this.#world.network.calmFrom = trouble;
    this.#users.begin(trouble);
    this.#faults.begin(trouble);
    await this.#until(trouble);
    this.#calm();
    await this.#settle();
    if (this.#random.chance(25)) await this.#change();
  }

  #until(end: number): Promise<void> {
    return this.#world.time.runUntil(end, () => {
      this.#world.invariants.step();
    });
  }

  #calm(): void {
    const { network, invariants } = this.#world;
    network.calm = true;
    invariants.disturbed();
  }

  /** Runs until nothing changes any more but what the nodes do about it: they must have done it in time. */
  async #settle(): Promise<void> {
    const { time } = this.#world;
    // What has converged early should stay so: most runs do not wait to see it, for more of them in the same time.
    const patient = this.#random.chance(20);
    await this.#until(time.now + HEARTBEAT_MS);
    await this.#converge(patient);
    const giveUp = time.now + CLEARED_MS;
    for (let [waits] = waitingUnits(this.#world); waits !== undefined; [waits] = waitingUnits(this.#world)) {
      if (time.now > giveUp) throw new Error(`invariant 4: ${waits} is not tried`);
      await this.#until(time.now + HEARTBEAT_MS);
      await this.#converge(patient);
    }
    await this.#agree();
  }

  async #converge(patient: boolean): Promise<void> {
    const { time, invariants } = this.#world;
    const giveUp = time.now + SETTLE_MS;
    for (;;) {
      if (this.#live().length === 0) this.#begin('n1');
      const due = invariants.disturbedAt + CONVERGED_MS;
      const last = time.now >= due;
      const differs = last || !patient ? notConverged(this.#world, this.#live()) : 'not looked at';
      if (differs === null) break;
      if (last && (this.#membersKnown() || time.now > giveUp)) throw new Error(`invariant 4: ${differs}`);
      await this.#until(last ? time.now + STEP_MS : Math.min(due, time.now + (patient ? due : STEP_MS)));
    }
  }

  /** When nothing flows, all nodes hold the same; what is on its way needs a moment. */
  async #agree(): Promise<void> {
    const { time, external } = this.#world;
    external.quiet = true;
    const giveUp = time.now + HEARTBEAT_MS;
    const begun = this.#incarnations;
    let differs: string | null;
    do {
      await this.#until(time.now + 20);
      differs = differing(this.#world, this.#live());
    } while (differs !== null && time.now < giveUp);
    external.quiet = false;
    if (differs === null) return;
    // One that was cut off before may be evicted only now, and begins anew.
    if (this.#incarnations !== begun) {
      await this.#converge(true);
      await this.#agree();
      return;
    }
    throw new Error(`invariant 4: ${differs} is another than the others'`);
  }

  /** Whether the members are those that live. */
  #membersKnown(): boolean {
    const { members } = this.#world.invariants.cluster.state;
    const live = this.#live();
    return (
      live.length === members.size &&
      live.every(({ self, joined }) => joined && members.get(self.id)?.incarnation === self.incarnation)
    );
  }

  /** Invariant 5: one node more or less moves what balance needs, and nothing else stops. */
  async #change(): Promise<void> {
    const before = new Map(this.#world.invariants.cluster.state.claims);
    const live = this.#live();
    const incarnations = this.#incarnations;
    const [one] = live;
    let changed: string;
    if (one === undefined || live.length < 2 || this.#random.chance(50)) {
      changed = 'new';
      this.#begin(changed);
    } else {
      changed = one.self.id;
      if (this.#random.chance(50)) this.#end(one);
      else await this.#faults.leave(one);
    }
    this.#world.invariants.disturbed();
    const requests = this.#users.done;
    const quarantined = this.#quarantined;
    await this.#settle();
    // A request that was under way is a change of its own, and so are a node that crashed earlier and is back now, and a task
    // that is quarantined for the death of this one.
    const begun = this.#incarnations - incarnations;
    const isAlone = this.#users.done === requests && this.#quarantined === quarantined;
    if (isAlone && begun === (changed === 'new' ? 1 : 0)) this.#checkMoves(before, changed);
  }

  get #quarantined(): number {
    return this.coverage.counts['task quarantined'] ?? 0;
  }

  #checkMoves(
    before: ReadonlyMap<string, { readonly epoch: number; readonly node: { readonly id: string } }>,
    changed: string,
  ): void {
    const { claims, members } = this.#world.invariants.cluster.state;
    let moved = 0;
    for (const [unit, was] of before) {
      const is = claims.get(unit);
      if (is === undefined || is.epoch === was.epoch) continue;
      moved += 1;
      if (was.node.id === changed || is.node.id === changed) continue;
      throw new Error(
        `invariant 5: ${unit} moved from ${was.node.id} to ${is.node.id}, as ${changed} changed`,
      );
    }
    // Connectors and tasks are shared out separately.
    const most = 2 + Math.ceil(before.size / members.size);
    if (changed === 'new' && moved > most)
      throw new Error(`invariant 5: ${moved} units moved to the new node`);
  }

  #begin(id: string): void {
    this.#incarnations += 1;
    const earlier = this.#lives.get(id);
    const self = { id, incarnation: `${id}-${this.#incarnations}` };
    const node = new SimulatedNode(this.#world, self, (ended, how, reason) => {
      this.#ended(ended, how, reason);
    });
    this.#lives.set(id, node);
    node.start();
    this.#world.invariants.note(`${self.incarnation} begins`);
    if (earlier !== undefined) this.#users.returns(node, earlier);
  }

  #ended(node: SimulatedNode, how: 'crashed' | 'shut down', reason: string): void {
    if (node.process.dead) return;
    this.#world.invariants.note(`${node.self.incarnation} ${how}: ${reason}`);
    if (how === 'shut down') {
      this.#world.invariants.wrong(`${node.self.incarnation} shut itself down: ${reason}`);
    }
    if (reason.includes('evicted by others')) this.coverage.saw('node learned that it was evicted');
    this.#end(node);
    this.#world.time.after(
      this.#random.next(500),
      () => {
        if (this.#lives.get(node.self.id) === node) this.#begin(node.self.id);
      },
      null,
    );
  }

  #end(node: SimulatedNode): void {
    node.process.dead = true;
    this.#world.invariants.note(`${node.self.incarnation} is dead`);
  }

  #live(): SimulatedNode[] {
    return [...this.#lives.values()].filter(({ process }) => !process.dead);
  }

  /** Ids of those that are dead. */
  #absent(): string[] {
    return [...this.#lives].filter(([, { process }]) => process.dead).map(([id]) => id);
  }
}
