import { availableParallelism } from 'node:os';
import type { UnitKey } from '../../core/model.js';
import type { SystemRef } from '../kernel/protocol.js';
import type { TaskParams } from '../task/protocol.js';
import type { RebalancerParams } from './params.js';
import { StartSlots } from './start-slots.js';
import type { PlannedConfig } from './protocol.js';
import { isTaskParams, taskSpec } from './task-spec.js';

/** A start that takes longer makes room for the next. */
const SLOT_MS = 500;

export type TaskChild = Awaited<ReturnType<SystemRef['children']>>[number] & { readonly params: TaskParams };

/** The threads of this node's tasks, and the places of those that rest, as the supervisor has them. */
export class TaskChildren {
  readonly #system: SystemRef;
  readonly #node: RebalancerParams;
  readonly #slots = new StartSlots(4 * availableParallelism(), SLOT_MS);
  /** Of all that were started and not stopped. */
  readonly #params = new Map<UnitKey, TaskParams>();
  readonly #starting = new Set<UnitKey>();
  readonly #stopping = new Set<UnitKey>();

  constructor(system: SystemRef, node: RebalancerParams) {
    this.#system = system;
    this.#node = node;
  }

  get count(): number {
    return this.#params.size;
  }

  get starting(): ReadonlySet<UnitKey> {
    return this.#starting;
  }

  /** It was told to stop: how its thread ends is no news. */
  isStopping(unit: UnitKey): boolean {
    return this.#stopping.has(unit);
  }

  /** What an earlier rebalancer has started. */
  async found(): Promise<readonly TaskChild[]> {
    const found: TaskChild[] = [];
    for (const child of await this.#system.children('tasks')) {
      const { params } = child;
      if (!isTaskParams(params)) continue;
      this.#params.set(params.unit, params);
      found.push({ ...child, params });
    }
    return found;
  }

  /** Resolves when it runs, waits for its next try, or was told to stop; that is to be looked at then. */
  async start(params: TaskParams): Promise<void> {
    const { unit } = params;
    this.#params.set(unit, params);
    this.#starting.add(unit);
    try {
      await this.#slots.run(async () => {
        if (!this.#stopping.has(unit)) await this.#system.startChild('tasks', taskSpec(params, this.#node));
      });
    } catch (error) {
      this.#params.delete(unit);
      this.#stopping.delete(unit);
      throw error;
    } finally {
      this.#starting.delete(unit);
    }
  }

  /** One that rests, as it was started: what is wanted by now is for another start. */
  async wake(unit: UnitKey, passivateAfterMs: (config: TaskParams['config']) => number): Promise<void> {
    const params = this.#params.get(unit);
    if (params !== undefined)
      await this.start({ ...params, passivateAfterMs: passivateAfterMs(params.config) });
  }

  /** It has taken another config over: its next threads begin with that. */
  async changed(unit: UnitKey, { config, version }: PlannedConfig): Promise<void> {
    const params = this.#params.get(unit);
    if (params === undefined || params.version >= version || this.#stopping.has(unit)) return;
    const changed = { ...params, config, version };
    this.#params.set(unit, changed);
    await this.#system.replaceSpec('tasks', taskSpec(changed, this.#node));
  }

  async stop(unit: UnitKey): Promise<void> {
    this.#stopping.add(unit);
    try {
      await this.#system.stopChild(unit);
      this.#params.delete(unit);
    } finally {
      this.#stopping.delete(unit);
    }
  }

  /** Of one that is just being started: whoever starts it stops it then for good. */
  stopStarting(unit: UnitKey): void {
    if (this.#stopping.has(unit)) return;
    this.#stopping.add(unit);
    void this.#system.stopChild(unit).catch(() => undefined);
  }
}
