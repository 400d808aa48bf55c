import assert from 'node:assert/strict';
import type { ConfigEntry } from '#troupe/core/config-machine.js';
import {
  parseUnitKey,
  unitGeneration,
  unitKey,
  type ConnectorEntry,
  type UnitKey,
} from '#troupe/core/model.js';
import { NodeLife, type Surroundings } from './node-life.js';
import { Clock, Network, Random, SimulatedLog } from './world.js';

const IDS = ['n1', 'n2', 'n3'];
const NAMES = ['a', 'b', 'c', 'd'];
const TROUBLE_MS = 40_000;
/** Evicting the dead, planning and moving, each with the slowest of everything. */
const QUIET_MS = 25_000;

/** A cluster of real decisions over simulated logs; everything else is made up from a seed. */
export class Simulation {
  readonly #random: Random;
  readonly #around: Surroundings;
  readonly #lives = new Map<string, NodeLife>();
  #incarnations = 0;

  constructor(seed: number) {
    const random = new Random(seed);
    const clock = new Clock();
    const network = new Network(clock, random);
    const wake = (): void => {
      for (const life of this.#lives.values()) life.readSoon();
    };
    const [clusterLog, configLog] = [new SimulatedLog(clock, wake), new SimulatedLog(clock, wake)];
    this.#random = random;
    this.#around = { clock, random, network, clusterLog, configLog };
  }

  run(): void {
    const { clock } = this.#around;
    for (const id of IDS) this.#spawn(id);
    this.#trouble();
    clock.runUntil(TROUBLE_MS, () => this.#checkOwners());
    this.#calm();
    clock.runUntil(TROUBLE_MS + QUIET_MS, () => this.#checkOwners());
    this.#checkEnd();
  }

  #spawn(id: string): void {
    this.#incarnations += 1;
    const self = { id, incarnation: `${id}-${this.#incarnations}` };
    const drift = 0.9 + this.#random.next(21) / 100;
    const life = new NodeLife(this.#around, self, drift, () => {
      this.#crash(id);
      this.#around.clock.after(this.#random.next(500), () => this.#respawn(id));
    });
    this.#lives.set(id, life);
    life.start();
  }

  #crash(id: string): void {
    const life = this.#lives.get(id);
    if (life !== undefined) life.dead = true;
  }

  #respawn(id: string): void {
    const earlier = this.#lives.get(id);
    if (earlier?.dead !== true) return;
    this.#spawn(id);
    // It still has the files of its earlier life, and tells what they say.
    if (this.#random.chance(70)) return;
    for (const { name, config } of earlier.config.state.connectors.values()) {
      const known: ConfigEntry = {
        type: 'CONNECTOR',
        name,
        config,
        expectedVersion: null,
        unlessDeleted: true,
      };
      this.#lives.get(id)?.config.submit(known);
    }
  }

  #live(): NodeLife[] {
    return [...this.#lives.values()].filter(({ dead }) => !dead);
  }

  #trouble(): void {
    const { clock } = this.#around;
    if (clock.now > TROUBLE_MS - 1000) return;
    if (this.#random.chance(50)) this.#user();
    else this.#fault();
    clock.after(this.#random.next(3000), () => this.#trouble());
  }

  /** A request of a user to some node. */
  #user(): void {
    const node = this.#random.pick(this.#live());
    const name = this.#random.pick(NAMES) ?? 'a';
    const entries: readonly ConfigEntry[] = [
      { type: 'CONNECTOR', name, config: { 'tasks.max': String(1 + this.#random.next(4)) } },
      { type: 'CONNECTOR', name, config: { 'tasks.max': '3' } },
      { type: 'DELETE', name },
      {
        type: 'TARGET',
        name,
        state: this.#random.pick(['RUNNING', 'PAUSED', 'STOPPED'] as const) ?? 'RUNNING',
      },
      { type: 'RESTART', name, connector: this.#random.chance(50), tasks: [0, 2] },
    ];
    const entry = this.#random.pick(entries);
    if (entry !== undefined) node?.config.submit(entry);
  }

  #fault(): void {
    const { clock } = this.#around;
    const id = this.#random.pick(IDS) ?? 'n1';
    const life = this.#lives.get(id);
    if (life === undefined || life.dead) return this.#respawn(id);
    const until = clock.now + this.#random.next(9000);
    switch (this.#random.next(4)) {
      case 0:
        life.pausedUntil = until;
        break;
      case 1:
        life.cutOffUntil = until;
        break;
      case 2:
        // Nobody reaches the log.
        for (const each of this.#live()) each.cutOffUntil = Math.max(each.cutOffUntil, until);
        break;
      default:
        this.#crash(id);
        clock.after(this.#random.next(12_000), () => this.#respawn(id));
    }
  }

  /** Faults end; some nodes stay dead. */
  #calm(): void {
    for (const life of this.#live()) {
      life.pausedUntil = 0;
      life.cutOffUntil = 0;
    }
    const [first] = this.#lives.keys();
    if (this.#live().length === 0 && first !== undefined) this.#respawn(first);
  }

  /** Invariant 1: plugin code of a unit runs on at most one node at any instant. */
  #checkOwners(): void {
    const owners = new Map<UnitKey, string>();
    for (const life of this.#lives.values()) {
      for (const unit of life.running.keys()) {
        if (!life.runs(unit)) continue;
        const other = owners.get(unit);
        assert.equal(
          other,
          undefined,
          `${unit} runs on ${other ?? ''} and ${life.self.id} at ${this.#around.clock.now}`,
        );
        owners.set(unit, life.self.id);
      }
    }
  }

  #checkEnd(): void {
    const live = this.#live();
    const [first] = live;
    assert.ok(first !== undefined);
    const { cluster, config } = first;
    const ids = live.map(({ self }) => self.incarnation).sort();
    assert.deepEqual([...cluster.state.members.values()].map(({ incarnation }) => incarnation).sort(), ids);
    for (const life of live) {
      assert.equal(life.cluster.digest(), cluster.digest(), 'all nodes hold the same members and claims');
      assert.equal(life.config.digest(), config.digest(), 'all nodes hold the same connectors');
    }
    assert.deepEqual(
      [...config.state.connectors.keys()].sort(),
      this.#expectedNames(),
      'deleted stays deleted',
    );
    const expected = expectedUnits(config.state.connectors);
    for (const [unit, generation] of expected) {
      const claim = cluster.state.claims.get(unit);
      const runners = live.filter(({ running }) => running.has(unit)).map(({ self }) => self.incarnation);
      assert.deepEqual(runners, [claim?.node.incarnation], `${unit} runs where it is claimed`);
      assert.equal(claim?.generation, generation, `${unit} runs what is wanted`);
    }
    const runs = live.flatMap(({ running }) => [...running.keys()]);
    assert.deepEqual(runs.sort(), [...expected.keys()].sort(), 'nothing else runs');
    checkBalance(
      live.map(
        ({ running }) => [...running.keys()].filter((unit) => parseUnitKey(unit).task !== null).length,
      ),
    );
  }

  /** What users created and did not delete, by the order of the log alone. */
  #expectedNames(): string[] {
    const names = new Set<string>();
    const seen = new Set<string>();
    const last = new Map<string, number>();
    for (const { writer, seq, entry } of this.#around.configLog.entries) {
      const said = entry as ConfigEntry;
      // A late or repeated append is one that its writer has already gone on from.
      if (seq <= (last.get(writer.incarnation) ?? 0)) continue;
      last.set(writer.incarnation, seq);
      if (said.type === 'CONNECTOR' && (said.unlessDeleted !== true || !seen.has(said.name)))
        names.add(said.name);
      if (said.type === 'CONNECTOR') seen.add(said.name);
      if (said.type === 'DELETE') names.delete(said.name);
    }
    return [...names].sort();
  }
}

function expectedUnits(connectors: ReadonlyMap<string, ConnectorEntry>): Map<UnitKey, number> {
  const units = new Map<UnitKey, number>();
  for (const entry of connectors.values()) {
    if (entry.targetState === 'STOPPED') continue;
    const tasks = [null, ...Array.from({ length: Number(entry.config['tasks.max']) }, (_, task) => task)];
    for (const task of tasks) {
      const generation = unitGeneration(entry, task);
      assert.ok(generation !== null, `${entry.name} is planned`);
      units.set(unitKey({ connector: entry.name, task }), generation);
    }
  }
  return units;
}

function checkBalance(loads: readonly number[]): void {
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, `loads ${loads.join(', ')}`);
}
