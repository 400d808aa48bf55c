/** Nodes that do what `decide` says, without threads and logs: for statements about all orders of events. */
import assert from 'node:assert/strict';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterState,
} from '#troupe/core/cluster/cluster-machine.js';
import { parseUnitKey, type ConnectorEntry, type NodeRef, type UnitKey } from '#troupe/core/model.js';
import { Moves } from '#troupe/core/cluster/moves.js';
import { loadsOf, planRebalance } from '#troupe/core/cluster/rebalance-plan.js';
import type { QuarantineRules } from '#troupe/core/cluster/quarantine.js';
import { decide, type Action, type RunningUnit } from '#troupe/core/cluster/rebalance.js';
import { taskWeight, wantedUnits } from '#troupe/core/cluster/wanted-units.js';

export const MAX_MOVES = 2;
const MAX_STEPS = 20_000;

interface SimpleNode {
  readonly self: NodeRef;
  readonly running: Map<UnitKey, RunningUnit>;
  readonly moves: Moves;
}

/** Nodes that do what `decide` says, one action of one node at a time, in an order that the choices give. */
export class SimpleCluster {
  readonly state: ClusterState = clusterMachine.initial();
  readonly configs: Map<string, ConnectorEntry>;
  readonly nodes = new Map<string, SimpleNode>();
  readonly starts: { readonly unit: UnitKey; readonly generation: number }[] = [];
  readonly #choose: (bound: number) => number;
  /** Absent: connectors are planned by hand. */
  planned?: (connector: string, epoch: number) => void;
  /** A node starts a task. */
  onStart?: (unit: UnitKey) => void;
  /** Its node dies before anything is said of it. */
  kills?: (unit: UnitKey) => boolean;
  /** Absent: no task is held back. */
  rules?: QuarantineRules;
  /** Of what nodes say. */
  now = 0;
  #offset = 0;

  constructor(choose: (bound: number) => number, configs = new Map<string, ConnectorEntry>()) {
    this.#choose = choose;
    this.configs = configs;
  }

  join(id: string, process = `process ${this.#offset}`): void {
    const self = { id, incarnation: `${id}-${this.#offset}` };
    this.nodes.set(id, { self, running: new Map(), moves: new Moves(MAX_MOVES) });
    this.#say(self, {
      type: 'ONLINE',
      member: { ...self, restUrl: '', joinedAt: 0, heartbeatAt: 0, process },
    });
  }

  leave(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.nodes.delete(id);
    this.#say(node.self, { type: 'OFFLINE' });
  }

  /** Its process ends in the middle of whatever it does, and comes back. */
  dies(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.nodes.delete(id);
    const [other] = this.nodes.values();
    // Alone it is missed by nobody until it is back.
    if (other !== undefined) this.#say(other.self, { type: 'EVICT', node: node.self });
    this.join(id);
  }

  /** The others do not hear it, and then they do again. */
  cutOff(id: string): void {
    const node = this.nodes.get(id);
    const { process } = this.state.members.get(id) ?? {};
    const [other] = [...this.nodes.values()].filter((each) => each !== node);
    if (node === undefined || other === undefined) return;
    this.nodes.delete(id);
    this.#say(other.self, { type: 'EVICT', node: node.self });
    this.join(id, process);
  }

  /** All nodes have lived with what they run for long enough. */
  acquit(): void {
    for (const { self, running } of this.nodes.values())
      for (const [unit, { epoch }] of running)
        if (this.state.suspects.has(unit)) this.#say(self, { type: 'ACQUIT', unit, epoch });
  }

  /** It is about to leave, and gives everything away. */
  retire(id: string): void {
    const node = this.nodes.get(id);
    if (node !== undefined) this.#say(node.self, { type: 'LEAVING' });
  }

  drain(id: string, drained: boolean): void {
    const [any] = this.nodes.values();
    if (any !== undefined) this.#say(any.self, { type: 'DRAIN', node: id, drained });
  }

  connector(name: string, tasks: number, weight: number): void {
    const configs = Array.from({ length: tasks }, () => ({}));
    this.configs.set(name, {
      name,
      config: { 'task.weight': String(weight) },
      targetState: 'RUNNING',
      version: 1,
      restart: null,
      tasks: { connectorVersion: 1, generation: 1, configs },
    });
  }

  /** A restart request for these tasks. Answers its generation. */
  restart(name: string, tasks: readonly number[]): number {
    const entry = this.configs.get(name);
    const offset = 1000 + this.#offset;
    if (entry === undefined) return offset;
    const marks = Object.fromEntries(tasks.map((task) => [task, offset]));
    this.configs.set(name, { ...entry, restarts: { connector: 0, tasks: marks } });
    return offset;
  }

  /** Until nobody has anything left to do. */
  settle(afterEach: () => void = () => undefined): void {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (!this.step()) return;
      afterEach();
    }
    assert.fail('there is no end to it');
  }

  /** One action of one node; false: there is nothing to do. */
  step(): boolean {
    const possible = [...this.nodes.values()].flatMap((node) =>
      this.#actions(node).map((action) => ({ node, action })),
    );
    const next = possible[this.#choose(possible.length)];
    if (next === undefined) return false;
    this.#do(next.node, next.action);
    this.#check();
    return true;
  }

  /** Epoch and node of each task. */
  owners(): Map<UnitKey, string> {
    const tasks = [...this.state.claims.values()].filter(({ unit }) => parseUnitKey(unit).task !== null);
    return new Map(tasks.map(({ unit, node, epoch }) => [unit, `${node.id} ${epoch}`]));
  }

  get open(): string[] {
    const { drained, members } = this.state;
    return [...this.nodes.keys()].filter((id) => !drained.has(id) && members.get(id)?.leaving !== true);
  }

  #actions({ self, running, moves }: SimpleNode): Action[] {
    const cluster = this.state;
    return decide({
      self,
      cluster,
      configs: this.configs,
      running,
      busy: new Set(),
      moves,
      ...(this.rules && { quarantine: this.rules }),
    });
  }

  #do({ self, running, moves }: SimpleNode, action: Action): void {
    const { unit } = action;
    switch (action.type) {
      case 'claim':
        this.#say(self, { ...action, type: 'CLAIM' });
        break;
      case 'release':
        assert.ok(!running.has(unit), `${unit} is released while it runs`);
        this.#say(self, { type: 'RELEASE', unit, epoch: action.epoch });
        break;
      case 'quarantine':
        this.#say(self, { ...action, type: 'QUARANTINE' });
        break;
      case 'stop':
        if (action.moving === true) moves.begin(unit, running.get(unit)?.epoch ?? 0);
        running.delete(unit);
        break;
      case 'start':
      case 'plan': {
        const { epoch, generation } = action;
        running.set(unit, { epoch, generation, state: 'RUNNING' });
        this.starts.push({ unit, generation });
        if (action.type === 'plan') this.planned?.(action.connector, epoch);
        else this.onStart?.(unit);
        if (this.kills?.(unit) === true) break;
        const status = { unit, node: self, epoch, state: 'RUNNING' as const, trace: null, stalled: null };
        this.#say(self, { type: 'STATUS', status });
        break;
      }
    }
  }

  #say({ id, incarnation }: NodeRef, entry: ClusterEntry): void {
    const meta = { offset: this.#offset++, timestamp: this.now, writer: { node: id, incarnation } };
    clusterMachine.apply(this.state, entry, meta);
  }

  #check(): void {
    const runners = new Map<UnitKey, string>();
    for (const { self, running } of this.nodes.values()) {
      for (const unit of running.keys()) {
        assert.equal(runners.get(unit), undefined, `${unit} runs twice`);
        runners.set(unit, self.id);
      }
    }
  }

  /** Everything runs once, where the claims say, on open nodes that are loaded alike. */
  checkSettled(): void {
    const { open } = this;
    const runs = [...this.nodes.values()].flatMap(({ running }) => [...running.keys()]);
    const wanted = open.length === 0 ? [] : [...wantedUnits(this.configs).keys()];
    assert.deepEqual(runs.sort(), wanted.sort());
    const loads = loadsOf({ members: this.state.members, claims: this.state.claims }, this.configs);
    for (const id of this.state.drained.keys()) assert.equal(loads.get(id) ?? 0, 0, `${id} is drained`);
    const totals = open.map((id) => loads.get(id) ?? 0);
    const heaviest = Math.max(1, ...[...this.configs.values()].map(taskWeight));
    assert.ok(totals.length === 0 || Math.max(...totals) - Math.min(...totals) <= heaviest, totals.join(' '));
    const { moves, reason } = planRebalance(this.state, this.configs);
    assert.ok(reason !== null || open.length === 0, JSON.stringify(moves));
  }
}
