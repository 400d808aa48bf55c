import { nextDelayMs } from '../../core/backoff.js';
import { parseUnitKey, type UnitKey } from '../../core/model.js';
import { sameNode } from '../../core/cluster/cluster-machine.js';
import { Moves } from '../../core/cluster/moves.js';
import { decide, type Action } from '../../core/cluster/rebalance.js';
import { planRebalance, type RebalancePlan } from '../../core/cluster/rebalance-plan.js';
import { InstalledPackages } from '../../plugins/installed.js';
import { ConnectError } from '../../sdk/errors.js';
import { coalesce, paceMs } from '../coalesce.js';
import { leaseLeftMs } from '../kernel/lease.js';
import type { ActorContext, SystemEvent } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';
import type { RebalancerParams, RebalancerPeers } from './params.js';
import { OwnClaims } from './own-claims.js';
import { Planning } from './planning.js';
import { Probations } from './probations.js';
import type { RebalancerProtocol, AllocatedUnit } from './protocol.js';
import { ReplanRequests } from './replan-requests.js';
import { Replans } from './replans.js';
import { RunningUnits } from './running-units.js';
import { SignalDesk } from './signal-desk.js';
import { taskSpec } from './task-spec.js';

const ASK_MS = 30_000;
const LEAVE_ASK_MS = 3000;

/**
 * Carries out what `decide` says, one action a unit at a time, and asks it again after each. The rules are in core;
 * here are only the asks and the threads.
 */
export class Rebalancer {
  readonly #context: ActorContext<RebalancerPeers, RebalancerParams>;
  readonly #state: NodeState;
  readonly #units: RunningUnits;
  readonly #planning: Planning;
  readonly #busy = new Set<UnitKey>();
  readonly #starting = new Set<UnitKey>();
  /** Tasks that are told to stop: how their threads end is no news. */
  readonly #stopping = new Set<UnitKey>();
  readonly signals: SignalDesk;
  readonly replans: Replans;
  readonly replanRequests: ReplanRequests;
  readonly #claims: OwnClaims;
  readonly #probations: Probations;
  readonly #installed: InstalledPackages;
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
    this.#installed = new InstalledPackages(context.params.installedPlugins);
    const { discovery, 'config-sync': configSync } = context.peers;
    this.#claims = new OwnClaims(discovery, state);
    this.#units = new RunningUnits(discovery, context.log);
    this.signals = new SignalDesk({ configSync, state, units: this.#units, log: context.log });
    this.#planning = new Planning({
      configSync,
      units: this.#units,
      backoff: context.params.backoff,
      maxRestarts: context.params.intensity.restarts,
      log: context.log,
      onRetry: (unit, epoch) => {
        this.#planAgain(unit, epoch);
      },
      onPlanned: (unit, epoch, replanAfterMs) => {
        this.replans.planned(unit, epoch, replanAfterMs);
      },
    });
    this.replans = new Replans({
      configSync,
      state,
      units: this.#units,
      backoff: context.params.backoff,
      maxCostly: context.params.intensity.restarts,
      log: context.log,
    });
    this.replanRequests = new ReplanRequests(configSync);
    this.#probations = new Probations(discovery, context.log, context.params.quarantine);
  }

  /** After a crash of this actor alone the tasks have gone on. */
  async adoptRunning(): Promise<void> {
    for (const child of await this.#context.system.children('tasks')) {
      const unit = this.#units.adopt(child);
      // Told to stop by the actor before this one: it will not run, whatever is wished for by now.
      if (unit !== null && child.state === 'stopping') this.#begin({ type: 'stop', unit });
    }
  }

  allocated(): readonly AllocatedUnit[] {
    return [...this.#units.all.values()];
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
      running: this.#units.all,
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
    this.signals.look();
    this.replans.look();
    if (this.#emptied !== null && !this.#hasTasks()) this.#emptied();
  }

  /** What this node lives with: a plan counts from its claim on, as it may be tried again and again. */
  #lived(): ReadonlyMap<UnitKey, { readonly epoch: number }> {
    const { self, claims, suspects } = this.#state;
    const lived = new Map<UnitKey, { readonly epoch: number }>(this.#units.all);
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
    for (const unit of this.#units.all.keys()) {
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
    if ([...this.#units.all.keys()].some(isTask)) return true;
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
    this.#units.onTaskState(word);
  }

  onTaskEvent(event: SystemEvent): void {
    this.#units.onTaskEvent(event, this.#stopping.has(event.id));
    this.signals.look();
  }

  /** The next rebalancer begins anew with the probations. */
  stopWatching(): void {
    this.#probations.stop();
    this.replans.stop();
  }

  /** Not without the log: what was said is still on its way, or will be lost as well. */
  repeatStatuses(): void {
    this.signals.look();
    if (leaseLeftMs(this.#context.lease) > 0) this.#units.repeatStatuses(this.#state);
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
          await this.#claims.claim(action);
          break;
        case 'release':
          await this.#claims.release(unit, action.epoch);
          break;
        case 'start':
          await this.#start(unit, action.epoch, action.generation);
          break;
        case 'plan':
          await this.#plan(action);
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
    const epoch = this.#units.all.get(unit)?.epoch ?? 0;
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
    this.#units.end(unit);
    this.#planning.forget(unit);
  }

  async #start(unit: UnitKey, epoch: number, generation: number): Promise<void> {
    if (!this.#claims.use(unit, epoch)) {
      await this.#claims.claim({ ...this.#state.claims.get(unit), unit, generation });
      return;
    }
    const { self, configs } = this.#state;
    const entry = configs?.get(parseUnitKey(unit).connector);
    if (self === null || entry === undefined) return;
    const start = { unit, epoch, generation, node: self };
    const spec = taskSpec(start, entry, this.#context.params, this.#installed.read().folders);
    if (spec === null) return;
    const { config } = spec.params;
    this.#units.begin({ unit, epoch, generation, config, state: 'RESTARTING' });
    this.#starting.add(unit);
    try {
      await this.#context.system.startChild('tasks', spec);
    } catch (error) {
      this.#units.end(unit);
      this.#stopping.delete(unit);
      throw error;
    } finally {
      this.#starting.delete(unit);
    }
    // Told to stop meanwhile it does not run, also where it is wanted again by now.
    if (this.#stopping.has(unit)) await this.#stop(unit, false);
  }

  async #plan({ unit, epoch, generation }: Extract<Action, { type: 'plan' }>): Promise<void> {
    const config = this.#state.configs?.get(unit)?.config ?? {};
    await this.#planning.plan({ unit, epoch, generation, config });
  }

  #planAgain(unit: UnitKey, epoch: number): void {
    const failed = this.#units.all.get(unit);
    if (failed?.epoch !== epoch || failed.state !== 'FAILED' || this.#busy.has(unit)) return;
    this.#units.end(unit);
    this.step();
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) =>
      setTimeout(resolve, nextDelayMs(this.#context.params.backoff, 1, Math.random())),
    );
  }
}
