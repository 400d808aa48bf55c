import type { ConfigEntry, ConfigResult } from '#troupe/core/connectors/config-machine.js';
import { sleep } from './plugins.js';
import type { Random } from './random.js';
import type { SimulatedNode } from './simulated-node.js';
import type { World } from './world.js';

const NAMES = ['a', 'b', 'c', 'd'];
const KINDS = ['source', 'sink', 'idle', 'idle'];

/** People, and nodes that come back with old files. */
export class Users {
  readonly #world: World;
  readonly #live: () => readonly SimulatedNode[];
  /** Requests answered. */
  done = 0;
  #until = 0;
  #requests = 0;

  constructor(world: World, live: () => readonly SimulatedNode[]) {
    this.#world = world;
    this.#live = live;
  }

  begin(until: number): void {
    this.#until = until;
    for (let i = 0; i < 3; i += 1)
      this.#world.time.after(this.#world.random.next(2000), () => this.#request(), null);
    this.#next();
  }

  /** It still has the files of its earlier life, and says what is in them. */
  returns(node: SimulatedNode, earlier: SimulatedNode): void {
    const { random } = this.#world;
    if (random.chance(60)) return;
    const saved = [...earlier.replicas.config.state.connectors.values()];
    node.run(() => {
      for (const { name, config } of saved) {
        void sleep(random.next(2000))
          .then(() =>
            node.replicas.config.submit({
              type: 'CONNECTOR',
              name,
              config,
              expectedVersion: null,
              unlessDeleted: true,
            }),
          )
          .catch(() => undefined);
      }
    });
  }

  #next(): void {
    const { time, random } = this.#world;
    time.after(
      random.next(1800),
      () => {
        if (time.now > this.#until - 500) return;
        this.#request();
        this.#next();
      },
      null,
    );
  }

  /** To some node. */
  #request(): void {
    const { random } = this.#world;
    const node = random.pick(this.#live().filter(({ joined }) => joined));
    if (node === undefined) return;
    this.#requests += 1;
    const entry = this.#entry(node);
    const kill = random.chance(10);
    node.run(() => {
      node.replicas.config.submit(entry).then(
        (result) => {
          this.#answered(node, entry, result, kill);
        },
        () => undefined,
      );
    });
  }

  #entry(node: SimulatedNode): ConfigEntry {
    const { random } = this.#world;
    const index = random.next(NAMES.length);
    const name = NAMES[index] ?? 'a';
    const config = {
      kind: KINDS[index] ?? 'idle',
      'tasks.max': String(1 + random.next(3)),
      request: String(this.#requests),
    };
    const write = { type: 'CONNECTOR', name, config } as const;
    const present = node.replicas.config.state.connectors.get(name);
    if (present === undefined || random.chance(25)) return write;
    switch (random.next(10)) {
      case 8:
      case 9:
        // Taken over by tasks that run.
        return { ...write, config: { ...present.config, 'linger.ms': String(this.#requests) } };
      case 6:
        return { type: 'REPLAN', name };
      case 7:
        return this.#signal(random, name);
      case 0:
        return { ...write, expectedVersion: present.version };
      case 1:
      case 2:
        return { type: 'DELETE', name };
      case 3:
        return { type: 'RESTART', name, connector: random.chance(50), tasks: [0, 2] };
      default:
        return { type: 'TARGET', name, state: random.pick(['RUNNING', 'PAUSED', 'STOPPED']) ?? 'RUNNING' };
    }
  }

  #signal(random: Random, name: string): ConfigEntry {
    const to = random.pick(['all', 'connector', 'tasks', 0, 1] as const) ?? 'all';
    const id = `s${this.#requests}`;
    return { type: 'SIGNAL', name, id, signal: { type: 'look', data: this.#requests }, to };
  }

  /** Invariant 7: what was answered stands in the log at this instant; so the node may be gone in the next one. */
  #answered(node: SimulatedNode, entry: ConfigEntry, result: ConfigResult, kill: boolean): void {
    const { invariants, coverage } = this.#world;
    this.done += 1;
    if (!result.ok) return;
    invariants.answered(entry, result);
    if (!kill) return;
    coverage.saw('node killed as it answered a request');
    node.process.dead = true;
  }
}
