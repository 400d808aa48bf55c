import { nextDelayMs } from '../../core/backoff.js';
import { parseUnitKey, type UnitKey, type UnitState } from '../../core/model.js';
import type { ClaimWord } from '../../core/cluster/cluster-entries.js';
import { sameNode } from '../../core/cluster/cluster-machine.js';
import { Moves } from '../../core/cluster/moves.js';
import { decide, type Action } from '../../core/cluster/rebalance.js';
import { PlanRetries } from '../../core/cluster/plan-retries.js';
import { planRebalance, type RebalancePlan } from '../../core/cluster/rebalance-plan.js';
import { ConnectError } from '../../sdk/errors.js';
import { coalesce, paceMs } from '../coalesce.js';
import { ActorError } from '../kernel/errors.js';
import { leaseLeftMs } from '../kernel/lease.js';
import type { ActorContext, ExitReason, SystemEvent } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';
import type { RebalancerParams, RebalancerPeers } from './params.js';
import type { RebalancerProtocol, AllocatedUnit } from './protocol.js';
import { Probations } from './probations.js';
import { Statuses } from './statuses.js';
import { TaskThreads } from './task-threads.js';
import { isTaskParams, taskSpec } from './task-spec.js';

const ASK_MS = 30_000;
const LEAVE_ASK_MS = 3000;
/** Planning has a deadline of its own, in config-sync. */
const PLAN_ASK_MS = 600_000;

/**
 * Carries out what `decide` says, one action a unit at a time, and asks it again after each. The rules are in core;
 * here are only the asks, the threads and the statuses.
 */
export class Rebalancer {
  readonly #context: ActorContext<RebalancerPeers, RebalancerParams>;
  readonly #state: NodeState;
  readonly #running = new Map<UnitKey, AllocatedUnit>();
  readonly #busy = new Set<UnitKey>();
  readonly #starting = new Set<UnitKey>();
  /** Tasks that are told to stop: how their threads end is no news. */
  readonly #stopping = new Set<UnitKey>();
  readonly #planRetries: PlanRetries;
  /** Claims that were granted to this object and that no start has used. */
  readonly #unused = new Map<UnitKey, number>();
  readonly #threads = new TaskThreads();
  readonly #statuses: Statuses;
  readonly #probations: Probations;
  #moves: Moves;
  /** Set while this node gives everything away; called when nothing is left. */
  #emptied: (() => void) | null = null;
  readonly #stepSoon = coalesce(
    () => this.#paceMs(),
    () => this.#step(),
  );

  constructor(context: ActorContext<RebalancerPeers, RebalancerParams>, state: NodeState) {
    this.#context = context;
    this.#state = state;
    this.#moves = new Moves(context.params.maxMoves);
    const { backoff, intensity } = context.params;
    this.#planRetries = new PlanRetries(backoff, intensity.restarts);
    const { discovery } = context.peers;
    this.#statuses = new Statuses(discovery);
    this.#probations = new Probations(discovery, context.log, context.params.quarantine);
  }

  /** After a crash of this actor alone the tasks have gone on. */
  async adoptRunning(): Promise<void> {
    for (const { state, lastExit, params } of await this.#context.system.children('tasks')) {
      if (!isTaskParams(params)) continue;
      const { unit, epoch, generation, config } = params;
      const failed = state === 'failed';
      const seen = failed ? 'FAILED' : state === 'backoff' || state === 'starting' ? 'RESTARTING' : 'RUNNING';
      this.#running.set(unit, { unit, epoch, generation, config, state: seen });
      if (failed && lastExit !== undefined) this.#report(unit, 'FAILED', trace(lastExit));
      // Told to stop by the actor before this one: it will not run, whatever is wished for by now.
      if (state === 'stopping') this.#begin({ type: 'stop', unit });
    }
  }

  allocated(): readonly AllocatedUnit[] {
    return [...this.#running.values()];
  }

  /** Decides anew: at once, or in a large cluster soon. */
  step(): void {
    if (this.#paceMs() > 0) this.#stepSoon();
    else this.#step();
  }

  #paceMs(): number {
    const { members, claims, tasks } = this.#state;
    return paceMs(members.size + Math.max(claims.size, tasks) + tasks);
  }

  #step(): void {
    const { self, configs } = this.#state;
    if (self === null) return;
    const actions = decide({
      self,
      cluster: this.#state,
      unread: this.#state.unread,
      configs,
      running: this.#running,
      busy: this.#busy,
      starting: this.#starting,
      moves: this.#moves,
      quarantine: this.#context.params.quarantine,
    });
    for (const action of actions) {
      if (this.#starting.has(action.unit)) this.#stopThread(action.unit);
      else this.#begin(action);
    }
    this.#probations.watch(this.#lived(), this.#state.suspects);
    if (this.#emptied !== null && !this.#hasTasks()) this.#emptied();
  }

  /** What this node lives with: a plan counts from its claim on, as it may be tried again and again. */
  #lived(): ReadonlyMap<UnitKey, { readonly epoch: number }> {
    const { self, claims, suspects } = this.#state;
    const lived = new Map<UnitKey, { readonly epoch: number }>(this.#running);
    for (const unit of suspects.keys()) {
      const claim = claims.get(unit);
      if (parseUnitKey(unit).task !== null || claim === undefined || self === null) continue;
      if (sameNode(claim.node, self)) lived.set(unit, claim);
    }
    return lived;
  }

  /**
   * The node stops: gives each task away as soon as its thread has ended, so that a slow one does not hold up the
   * others. Its claims end in any case when it goes offline.
   */
  async leave(): Promise<void> {
    const { discovery } = this.#context.peers;
    const gone = new Promise<void>((resolve) => {
      this.#emptied = resolve;
      discovery.onChange((up) => {
        if (!up) resolve();
      });
    });
    this.#moves = new Moves(Infinity);
    // Without the log nothing can be given away, and the node should not wait for it.
    await discovery.ask('leaving', {}, { deadlineMs: LEAVE_ASK_MS });
    this.#state.setCluster(await discovery.ask('view', {}, { deadlineMs: LEAVE_ASK_MS }));
    this.step();
    // Those that are just being started as well, which `decide` leaves alone until they are.
    for (const unit of this.#running.keys()) {
      if (parseUnitKey(unit).task !== null) this.#stopThread(unit);
    }
    await gone;
  }

  /** While an action of the unit is under way: that one goes on as soon as the thread has ended. */
  #stopThread(unit: UnitKey): void {
    if (this.#stopping.has(unit)) return;
    this.#stopping.add(unit);
    void this.#context.system.stopChild(unit).catch(() => undefined);
  }

  #hasTasks(): boolean {
    const { self, claims } = this.#state;
    const isTask = (unit: UnitKey): boolean => parseUnitKey(unit).task !== null;
    if ([...this.#running.keys()].some(isTask)) return true;
    return [...claims.values()].some(
      ({ unit, node }) => isTask(unit) && node.incarnation === self?.incarnation,
    );
  }

  rebalance(dryRun: boolean): RebalancePlan {
    const { configs, members } = this.#state;
    if (configs === null || members.size === 0) {
      throw new ConnectError('this node has not read the members and the connectors yet', {
        code: 'ACTOR_DOWN',
      });
    }
    const plan = planRebalance(this.#state, configs);
    if (!dryRun) this.step();
    return plan;
  }

  onTaskState(word: RebalancerProtocol['tell']['taskState']): void {
    const { unit, epoch, incarnation, state, stalled, skipped, notes } = word;
    const running = this.#running.get(unit);
    // One that has failed for good is not started again: not before it was stopped.
    if (running?.epoch !== epoch || running.state === 'FAILED') return;
    if (!this.#threads.speaks(unit, incarnation)) return;
    this.#running.set(unit, { ...running, state });
    const more = { ...(skipped !== undefined && { skipped }), ...(notes !== undefined && { notes }) };
    this.#statuses.say({ unit, epoch, state, trace: null, stalled, ...more });
  }

  onTaskEvent(event: SystemEvent): void {
    if (event.type === 'started') return;
    const running = this.#running.get(event.id);
    if (event.type === 'stuck') {
      // Also one that is being stopped: it is not, and nobody would know why.
      if (running === undefined) return;
      this.#running.set(event.id, { ...running, state: 'FAILED' });
      this.#report(event.id, 'FAILED', trace(event.reason));
      this.#context.log.error({ task: event.id, code: event.reason.code }, event.reason.message);
      return;
    }
    if (running === undefined || this.#stopping.has(event.id)) return;
    if (!this.#threads.ends(event.id, event.incarnation)) return;
    const state = event.restartInMs === null ? 'FAILED' : 'RESTARTING';
    this.#running.set(event.id, { ...running, state });
    this.#report(event.id, state, trace(event.reason));
    const { code, message } = event.reason;
    const next =
      event.restartInMs === null ? 'it stays down' : `it starts again in ${Math.round(event.restartInMs)} ms`;
    this.#context.log.warn({ task: event.id, code }, `a task failed, ${next}: ${message}`);
  }

  /** The next rebalancer begins anew with the probations. */
  stopWatching(): void {
    this.#probations.stop();
  }

  /** Not without the log: what was said is still on its way, or will be lost as well. */
  repeatStatuses(): void {
    if (leaseLeftMs(this.#context.lease) > 0) this.#statuses.repeat(this.#state);
  }

  #begin(action: Action): void {
    this.#busy.add(action.unit);
    void this.#perform(action);
  }

  async #perform(action: Action): Promise<void> {
    const { unit } = action;
    try {
      switch (action.type) {
        case 'claim':
          await this.#claim(action);
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
          await this.#stop(unit, action.moving === true);
          break;
        case 'quarantine':
          await this.#quarantine(action);
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

  async #claim({ unit, generation, plan, idle }: ClaimWord): Promise<void> {
    const of = { ...(plan === undefined ? {} : { plan }), ...(idle === undefined ? {} : { idle }) };
    const asked = { unit, generation, ...of };
    const reply = await this.#context.peers.discovery.ask('claim', asked, { deadlineMs: ASK_MS });
    const { self } = this.#state;
    if (!reply.granted || self === null) return;
    this.#unused.set(unit, reply.epoch);
    this.#state.setClaim(unit, { ...asked, node: self, epoch: reply.epoch }, reply.offset);
  }

  async #release(unit: UnitKey, epoch: number): Promise<void> {
    const reply = await this.#context.peers.discovery.ask('release', { unit, epoch }, { deadlineMs: ASK_MS });
    this.#unused.delete(unit);
    this.#state.setClaim(unit, null, reply.offset);
  }

  async #quarantine(action: Extract<Action, { type: 'quarantine' }>): Promise<void> {
    const { unit, generation, deaths } = action;
    const request = { unit, generation, deaths };
    const { quarantined } = await this.#context.peers.discovery.ask('quarantine', request, {
      deadlineMs: ASK_MS,
    });
    if (!quarantined) return;
    this.#context.log.error(
      { task: unit, code: 'QUARANTINED', deaths },
      `${parseUnitKey(unit).task === null ? 'a connector is quarantined: it was being planned' : 'a task is quarantined: it was running'} at ${deaths} deaths of nodes. Restart it, or change its connector's config, once the cause is mended`,
    );
  }

  async #stop(unit: UnitKey, moving: boolean): Promise<void> {
    const epoch = this.#running.get(unit)?.epoch ?? 0;
    if (moving) this.#moves.begin(unit, epoch);
    this.#stopping.add(unit);
    try {
      if (parseUnitKey(unit).task !== null) await this.#context.system.stopChild(unit);
    } catch (error) {
      this.#moves.cancel(unit);
      throw error;
    } finally {
      this.#stopping.delete(unit);
    }
    this.#running.delete(unit);
    this.#threads.forget(unit);
    this.#planRetries.forget(unit);
  }

  /**
   * A claim is good for one start: the threads of a start are told apart by their number (core/cluster/fencing.ts), which
   * begins anew with the next.
   */
  async #start(unit: UnitKey, epoch: number, generation: number): Promise<void> {
    if (this.#unused.get(unit) !== epoch) {
      await this.#claim({ ...this.#state.claims.get(unit), unit, generation });
      return;
    }
    this.#unused.delete(unit);
    const { self, configs } = this.#state;
    const entry = configs?.get(parseUnitKey(unit).connector);
    if (self === null || entry === undefined) return;
    const spec = taskSpec({ unit, epoch, generation, node: self }, entry, this.#context.params);
    if (spec === null) return;
    const { config } = spec.params;
    this.#threads.forget(unit);
    this.#running.set(unit, { unit, epoch, generation, config, state: 'RESTARTING' });
    this.#starting.add(unit);
    try {
      await this.#context.system.startChild('tasks', spec);
    } catch (error) {
      this.#running.delete(unit);
      this.#stopping.delete(unit);
      throw error;
    } finally {
      this.#starting.delete(unit);
    }
    // Told to stop meanwhile it does not run, also where it is wanted again by now.
    if (this.#stopping.has(unit)) await this.#stop(unit, false);
  }

  /** A plan that fails is tried again after a backoff, for as long as it is wanted and `PlanRetries` allows. */
  async #plan(unit: UnitKey, epoch: number, generation: number): Promise<void> {
    const { config } = this.#state.configs?.get(unit) ?? { config: {} };
    const record = (state: UnitState): void => {
      this.#running.set(unit, { unit, epoch, generation, config, state });
    };
    try {
      const { 'config-sync': configSync } = this.#context.peers;
      await configSync.ask('plan', { name: unit, epoch }, { deadlineMs: PLAN_ASK_MS });
      this.#planRetries.forget(unit);
      record('RUNNING');
      this.#report(unit, 'RUNNING', null);
    } catch (error) {
      if (!(error instanceof ActorError) || error.remoteCode === null) throw error;
      record('FAILED');
      if (error.remoteCode === 'TASKS_STALE' || error.remoteCode === 'CONNECTOR_NOT_FOUND') {
        this.#running.delete(unit);
        this.#planRetries.forget(unit);
        return;
      }
      this.#planFailed(unit, epoch, error.remoteCode, error.message);
    }
  }

  #planFailed(unit: UnitKey, epoch: number, code: string, message: string): void {
    const cause = `${code}: ${message}`;
    const delayMs = this.#planRetries.failed(unit, code, Math.random());
    if (delayMs === null) {
      const over =
        'It was tried as often as task.restart.max allows: restart the connector, or change its config, once the cause is mended';
      this.#report(unit, 'FAILED', `${cause}. ${over}`);
      this.#context.log.error(
        { connector: unit, code },
        `a connector is not planned again: ${message}. ${over}`,
      );
      return;
    }
    this.#report(unit, 'FAILED', cause);
    setTimeout(() => {
      const running = this.#running.get(unit);
      if (running?.epoch !== epoch || running.state !== 'FAILED' || this.#busy.has(unit)) return;
      this.#running.delete(unit);
      this.step();
    }, delayMs);
  }

  #report(unit: UnitKey, state: UnitState, cause: string | null): void {
    const running = this.#running.get(unit);
    if (running === undefined) return;
    this.#statuses.say({ unit, epoch: running.epoch, state, trace: cause, stalled: null });
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
