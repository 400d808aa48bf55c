import { parseUnitKey, type UnitKey } from '#troupe/core/model.js';
import type { Fail } from './invariants.js';
import type { SimulatedTask } from './simulated-task.js';
import type { VirtualTime } from './virtual-time.js';

/**
 * Invariant 1: at most one node runs plugin code of a unit at any instant, and only with a valid lease. So do tasks of
 * one plan of a connector, and not together with those of another: they would read the same.
 */
export class Ownership {
  readonly #time: VirtualTime;
  readonly #fail: Fail;
  readonly #tasks = new Map<UnitKey, Set<SimulatedTask>>();
  /** Units of which more than one task exists: usually none, so that looking after every step costs little. */
  readonly #contested = new Set<UnitKey>();
  /** Generations of a connector's plans, in order. */
  readonly #plans = new Map<string, number[]>();
  /** The tasks of a connector that exist. */
  readonly #byConnector = new Map<string, Map<SimulatedTask, number>>();
  /** Connectors with tasks of more than one plan. */
  readonly #mixed = new Set<string>();

  constructor(time: VirtualTime, fail: Fail) {
    this.#time = time;
    this.#fail = fail;
  }

  exists(task: SimulatedTask): void {
    const { unit, config } = task.params;
    if (config['request'] !== config['planned.from'])
      this.#fail(
        `${nameOf(task)} starts ${unit} as request ${config['planned.from'] ?? ''} had it, after request ${config['request'] ?? ''}`,
      );
    const tasks = this.#tasks.get(unit) ?? new Set();
    tasks.add(task);
    this.#tasks.set(unit, tasks);
    if (tasks.size > 1) this.#contested.add(unit);
    const { connector } = parseUnitKey(unit);
    const siblings = this.#byConnector.get(connector) ?? new Map<SimulatedTask, number>();
    this.#byConnector.set(connector, siblings.set(task, this.#planOf(connector, task.params.generation)));
    if (new Set(siblings.values()).size > 1) this.#mixed.add(connector);
  }

  /** While it runs. */
  takesOver(task: SimulatedTask, config: SimulatedTask['params']['config']): void {
    const { unit, config: before } = task.params;
    if (config['request'] === before['request'] && config['planned.from'] === before['planned.from']) return;
    this.#fail(`${nameOf(task)} takes over of ${unit} what only another start may change`);
  }

  ended(task: SimulatedTask): void {
    const { unit } = task.params;
    this.#tasks.get(unit)?.delete(task);
    this.#byConnector.get(parseUnitKey(unit).connector)?.delete(task);
  }

  /** There is a new plan of the connector's tasks. */
  planned(connector: string, generation: number): void {
    const plans = this.#plans.get(connector) ?? [];
    if (plans.at(-1) !== generation) this.#plans.set(connector, [...plans, generation]);
  }

  /** A later generation may be that of a restart. */
  #planOf(connector: string, generation: number): number {
    return this.#plans.get(connector)?.findLast((plan) => plan <= generation) ?? generation;
  }

  check(): void {
    this.#checkUnits();
    this.#checkPlans();
  }

  #checkPlans(): void {
    for (const connector of this.#mixed) {
      const tasks = this.#byConnector.get(connector) ?? new Map<SimulatedTask, number>();
      for (const task of tasks.keys()) if (task.thread.gone) tasks.delete(task);
      if (new Set(tasks.values()).size < 2) this.#mixed.delete(connector);
      const running = [...tasks].filter(([task]) => this.#runs(task));
      if (new Set(running.map(([, plan]) => plan)).size < 2) continue;
      const names = running.map(([task, plan]) => `${task.params.unit} on ${nameOf(task)} of plan ${plan}`);
      this.#fail(`invariant 1: tasks of two plans run: ${names.join(', ')}`);
    }
  }

  #checkUnits(): void {
    for (const unit of this.#contested) {
      const tasks = this.#tasks.get(unit) ?? new Set();
      for (const task of tasks) if (task.thread.gone) tasks.delete(task);
      if (tasks.size < 2) this.#contested.delete(unit);
      const running = [...tasks].filter((task) => this.#runs(task));
      if (running.length > 1) {
        this.#fail(`invariant 1: ${unit} runs on ${running.map(nameOf).join(' and ')}`);
      }
    }
  }

  /** A call into its plugin begins. */
  called(task: SimulatedTask, call: string): void {
    if ((call === 'poll' || call === 'put') && !this.#runs(task)) {
      this.#fail(`invariant 1: ${nameOf(task)} calls ${call} of ${task.params.unit} without a lease`);
    }
  }

  /** As the task itself would see it, at this instant. */
  #runs(task: SimulatedTask): boolean {
    if (task.thread.gone || task.thread.process.pausedUntil > this.#time.now) return false;
    const { thread } = this.#time;
    this.#time.thread = task.thread;
    const open = task.gate.open;
    this.#time.thread = thread;
    return open;
  }
}

function nameOf({ params }: SimulatedTask): string {
  return `${params.node.incarnation} (epoch ${params.epoch})`;
}
