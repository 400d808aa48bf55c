import type { SimulatedNode } from './simulated-node.js';
import { LEASE_MS, type World } from './world.js';

/** What can be done to the nodes. */
export interface Fleet {
  live(): SimulatedNode[];
  absent(): string[];
  end(node: SimulatedNode): void;
  begin(id: string): void;
}

const LONGEST_MS = 6500;

/** What goes wrong, until the end. */
export class Faults {
  readonly #world: World;
  readonly #fleet: Fleet;
  #until = 0;

  constructor(world: World, fleet: Fleet) {
    this.#world = world;
    this.#fleet = fleet;
  }

  begin(until: number): void {
    this.#until = until;
    this.#next();
  }

  /** It stops in order. */
  async leave(node: SimulatedNode): Promise<void> {
    const { coverage } = this.#world;
    coverage.saw('node left in order');
    node.run(() => {
      void node.leave().finally(() => {
        this.#fleet.end(node);
      });
    });
    await Promise.resolve();
  }

  #next(): void {
    const { time, random } = this.#world;
    const every = 2400 / Math.max(2, this.#fleet.live().length);
    time.after(
      100 + random.next(Math.ceil(2 * every)),
      () => {
        if (time.now > this.#until) return;
        this.#fault();
        this.#next();
      },
      null,
    );
  }

  #fault(): void {
    const { time, random, coverage, invariants } = this.#world;
    const node = random.pick(this.#fleet.live());
    const absent = random.pick(this.#fleet.absent());
    if (absent !== undefined && (node === undefined || random.chance(50))) {
      this.#fleet.begin(absent);
      return;
    }
    if (node === undefined) return;
    const forMs = Math.min(random.next(LONGEST_MS), this.#until - time.now);
    switch (random.next(10)) {
      case 0:
      case 1:
        this.#stall(node, 'pausedUntil', forMs);
        break;
      case 2:
      case 3:
        this.#stall(node, 'cutOffUntil', forMs);
        break;
      case 4:
        // Nobody reaches the log.
        for (const each of this.#fleet.live()) this.#stall(each, 'cutOffUntil', forMs);
        break;
      case 5:
        this.#crashTask(node);
        break;
      case 6:
        coverage.saw('rebalancer crashed');
        node.crashRebalancer();
        break;
      case 7:
        coverage.saw('configs read late by a node');
        invariants.note(`${node.self.incarnation} configsLateUntil +${forMs}`);
        node.process.configsLateUntil = Math.max(node.process.configsLateUntil, time.now + forMs);
        break;
      case 8:
        if (node.joined) void this.leave(node);
        break;
      default:
        coverage.saw('node crashed');
        this.#fleet.end(node);
    }
  }

  #stall(node: SimulatedNode, what: 'pausedUntil' | 'cutOffUntil', forMs: number): void {
    const { time, coverage, invariants } = this.#world;
    const { process } = node;
    invariants.note(`${node.self.incarnation} ${what} +${forMs}`);
    process[what] = Math.max(process[what], time.now + forMs);
    if (forMs <= LEASE_MS) return;
    coverage.saw(what === 'pausedUntil' ? 'node paused past its lease' : 'node cut off past its lease');
    time.after(
      forMs - 1,
      () => {
        if (process.dead || node.leaseValid || node.supervisor.tasks.length === 0) return;
        coverage.saw('lease lost with tasks running');
      },
      null,
    );
  }

  #crashTask(node: SimulatedNode): void {
    const task = this.#world.random.pick(node.supervisor.tasks);
    if (task === undefined) return;
    this.#world.coverage.saw('task crashed');
    this.#world.invariants.note(`${task.params.unit} of ${node.self.incarnation} crashes`);
    node.run(() => {
      node.supervisor.crash(task.params.unit);
    });
  }
}
