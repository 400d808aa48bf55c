import { nextDelayMs } from '../../core/backoff.js';
import { parseUnitKey, type UnitKey, type UnitState } from '../../core/model.js';
import { decide, type Action } from '../../core/rebalance.js';
import { ActorError } from '../kernel/errors.js';
import type { ActorContext, ExitReason, SystemEvent } from '../kernel/protocol.js';
import type { RebalancerPeers } from './behavior.js';
import type { NodeState } from './node-state.js';
import type { RebalancerParams } from './params.js';
import type { RebalancerProtocol, RunningUnit } from './protocol.js';
import { isTaskParams, taskSpec } from './task-spec.js';

const ASK_MS = 30_000;
/** Planning has a deadline of its own, in config-sync. */
const PLAN_ASK_MS = 600_000;

/**
 * Carries out what `decide` says, one action a unit at a time, and asks it again after each. The rules are in core;
 * here are only the asks, the threads and the statuses.
 */
export class Rebalancer {
  readonly #context: ActorContext<RebalancerPeers, RebalancerParams>;
  readonly #state: NodeState;
  readonly #running = new Map<UnitKey, RunningUnit>();
  readonly #busy = new Set<UnitKey>();
  /** Failed plans in a row, by connector unit. */
  readonly #failures = new Map<UnitKey, number>();

  constructor(context: ActorContext<RebalancerPeers, RebalancerParams>, state: NodeState) {
    this.#context = context;
    this.#state = state;
  }

  /** After a crash of this actor alone the tasks have gone on. */
  async adoptRunning(): Promise<void> {
    for (const { state, lastExit, params } of await this.#context.system.children('tasks')) {
      if (!isTaskParams(params)) continue;
      const { unit, epoch, generation, config } = params;
      const failed = state === 'failed';
      this.#running.set(unit, { unit, epoch, generation, config, state: failed ? 'FAILED' : 'RUNNING' });
      if (failed && lastExit !== undefined) this.#report(unit, 'FAILED', trace(lastExit));
    }
  }

  allocated(): readonly RunningUnit[] {
    return [...this.#running.values()];
  }

  step(): void {
    const { self, members, claims, configs } = this.#state;
    if (self === null) return;
    const cluster = { members, claims };
    for (const action of decide({ self, cluster, configs, running: this.#running, busy: this.#busy })) {
      this.#busy.add(action.unit);
      void this.#perform(action);
    }
  }

  onTaskState({ unit, epoch, state, stalled }: RebalancerProtocol['tell']['taskState']): void {
    const running = this.#running.get(unit);
    if (running?.epoch !== epoch) return;
    this.#running.set(unit, { ...running, state });
    this.#context.peers.discovery.tell('status', { unit, epoch, state, trace: null, stalled });
  }

  onTaskEvent(event: SystemEvent): void {
    if (event.type !== 'exited') return;
    const running = this.#running.get(event.id);
    if (running === undefined || this.#busy.has(event.id)) return;
    const state = event.restartInMs === null ? 'FAILED' : 'RESTARTING';
    this.#running.set(event.id, { ...running, state });
    this.#report(event.id, state, trace(event.reason));
    const { code, message } = event.reason;
    const next =
      event.restartInMs === null ? 'it stays down' : `it starts again in ${Math.round(event.restartInMs)} ms`;
    this.#context.log.warn({ task: event.id, code }, `a task failed, ${next}: ${message}`);
  }

  async #perform(action: Action): Promise<void> {
    const { unit } = action;
    try {
      switch (action.type) {
        case 'claim':
          await this.#claim(unit, action.generation);
          break;
        case 'release':
          await this.#release(unit, action.epoch);
          break;
        case 'start':
          await this.#start(unit, action.epoch, action.generation);
          break;
        case 'plan':
          await this.#plan(unit, action.epoch, action.generation);
          break;
        case 'stop':
          if (parseUnitKey(unit).task !== null) await this.#context.system.stopChild(unit);
          this.#running.delete(unit);
          this.#failures.delete(unit);
          break;
      }
    } catch (error) {
      this.#context.log.warn({ err: error, unit }, `could not ${action.type}; will try again`);
      await this.#pause();
    } finally {
      this.#busy.delete(unit);
      this.step();
    }
  }

  async #claim(unit: UnitKey, generation: number): Promise<void> {
    const reply = await this.#context.peers.discovery.ask(
      'claim',
      { unit, generation },
      { deadlineMs: ASK_MS },
    );
    const { self } = this.#state;
    if (!reply.granted || self === null) return;
    this.#state.setClaim(unit, { unit, node: self, epoch: reply.epoch, generation }, reply.offset);
  }

  async #release(unit: UnitKey, epoch: number): Promise<void> {
    const reply = await this.#context.peers.discovery.ask('release', { unit, epoch }, { deadlineMs: ASK_MS });
    this.#state.setClaim(unit, null, reply.offset);
  }

  async #start(unit: UnitKey, epoch: number, generation: number): Promise<void> {
    const { self, configs } = this.#state;
    const entry = configs?.get(parseUnitKey(unit).connector);
    if (self === null || entry === undefined) return;
    const spec = taskSpec({ unit, epoch, generation, node: self }, entry, this.#context.params);
    if (spec === null) return;
    const { config } = spec.params;
    this.#running.set(unit, { unit, epoch, generation, config, state: 'RESTARTING' });
    try {
      await this.#context.system.startChild('tasks', spec);
    } catch (error) {
      this.#running.delete(unit);
      throw error;
    }
  }

  /** A plan that fails is tried again after a backoff, for as long as it is wanted. */
  async #plan(unit: UnitKey, epoch: number, generation: number): Promise<void> {
    const { config } = this.#state.configs?.get(unit) ?? { config: {} };
    const record = (state: UnitState): void => {
      this.#running.set(unit, { unit, epoch, generation, config, state });
    };
    try {
      const { 'config-sync': configSync } = this.#context.peers;
      await configSync.ask('plan', { name: unit }, { deadlineMs: PLAN_ASK_MS });
      this.#failures.delete(unit);
      record('RUNNING');
      this.#report(unit, 'RUNNING', null);
    } catch (error) {
      if (!(error instanceof ActorError) || error.remoteCode === null) throw error;
      record('FAILED');
      if (error.remoteCode === 'TASKS_STALE' || error.remoteCode === 'CONNECTOR_NOT_FOUND') {
        this.#running.delete(unit);
        return;
      }
      this.#report(unit, 'FAILED', `${error.remoteCode}: ${error.message}`);
      this.#planLater(unit, epoch);
    }
  }

  #planLater(unit: UnitKey, epoch: number): void {
    const attempt = (this.#failures.get(unit) ?? 0) + 1;
    this.#failures.set(unit, attempt);
    setTimeout(
      () => {
        const running = this.#running.get(unit);
        if (running?.epoch !== epoch || running.state !== 'FAILED' || this.#busy.has(unit)) return;
        this.#running.delete(unit);
        this.step();
      },
      nextDelayMs(this.#context.params.backoff, attempt, Math.random()),
    );
  }

  #report(unit: UnitKey, state: UnitState, cause: string | null): void {
    const running = this.#running.get(unit);
    if (running === undefined) return;
    this.#context.peers.discovery.tell('status', {
      unit,
      epoch: running.epoch,
      state,
      trace: cause,
      stalled: null,
    });
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) =>
      setTimeout(resolve, nextDelayMs(this.#context.params.backoff, 1, Math.random())),
    );
  }
}

function trace({ code, message, stack, errorCode }: ExitReason): string {
  // A plugin's error has a code of its own; what the supervisor found is named by the supervisor.
  const name = code === 'CRASH' || code === 'START_FAILED' ? (errorCode ?? code) : code;
  return stack === undefined ? `${name}: ${message}` : `${name}: ${message}\n${stack}`;
}
