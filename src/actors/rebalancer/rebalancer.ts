import { nextDelayMs } from '../../core/backoff.js';
import { parseUnitKey, type UnitKey } from '../../core/model.js';
import { sameNode } from '../../core/cluster/cluster-machine.js';
import { parseTaskRest, passiveOf, type TaskRest } from '../../core/cluster/passivation.js';
import { Moves } from '../../core/cluster/moves.js';
import { decide, type Action } from '../../core/cluster/rebalance.js';
import { planRebalance, type RebalancePlan } from '../../core/cluster/rebalance-plan.js';
import type { Log } from '../../log/log.js';
import { InstalledPackages } from '../../plugins/installed.js';
import { ConnectError } from '../../sdk/errors.js';
import { coalesce, paceMs } from '../coalesce.js';
import { leaseLeftMs } from '../kernel/lease.js';
import type { ActorContext, SystemEvent } from '../kernel/protocol.js';
import type { TaskParams } from '../task/protocol.js';
import type { NodeState } from './node-state.js';
import type { RebalancerParams, RebalancerPeers } from './params.js';
import { OwnClaims } from './own-claims.js';
import { PassiveTasks } from './passive-tasks.js';
import { Planning } from './planning.js';
import { Probations } from './probations.js';
import type { RebalancerProtocol, AllocatedUnit } from './protocol.js';
import { ReplanRequests } from './replan-requests.js';
import { Replans } from './replans.js';
import { RunningUnits } from './running-units.js';
import { SignalDesk } from './signal-desk.js';
import { TaskChildren } from './task-children.js';
import { restsAfterMs, taskParams } from './task-spec.js';

const ASK_MS = 30_000;
const LEAVE_ASK_MS = 3000;

/** What `decide` says, or a passive task that has something to do. */
type Work = Action | Wake;

interface Wake {
  readonly type: 'wake';
  readonly unit: UnitKey;
  /** Since when it has rested, in milliseconds since 1970; undefined: it has hardly begun. */
  readonly since: number | undefined;
}

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
  /** Passive tasks that have something to do, after the action that is under way. */
  readonly #wakeNext = new Set<UnitKey>();
  readonly #children: TaskChildren;
  readonly signals: SignalDesk;
  readonly replans: Replans;
  readonly replanRequests: ReplanRequests;
  readonly #claims: OwnClaims;
  readonly #probations: Probations;
  readonly #installed: InstalledPackages;
  readonly #passive: PassiveTasks;
  #moves: Moves;
  /** Set while this node gives everything away; called when nothing is left. */
  #emptied: (() => void) | null = null;
  readonly #stepSoon = coalesce(
    () => this.#paceMs(),
    () => this.#step(),
  );

  constructor(
    context: ActorContext<RebalancerPeers, RebalancerParams>,
    state: NodeState,
    openLog: () => Promise<Log>,
  ) {
    this.#context = context;
    this.#state = state;
    this.#moves = new Moves(context.params.maxMoves);
    this.#installed = new InstalledPackages(context.params.installedPlugins);
    const { discovery, 'config-sync': configSync } = context.peers;
    this.#claims = new OwnClaims(discovery, state);
    this.#units = new RunningUnits(discovery, context.log);
    this.#children = new TaskChildren(context.system, context.params);
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
    this.#passive = new PassiveTasks({
      openLog,
      ownTopics: context.params.settings.ownTopics,
      log: context.log,
      onWake: (unit, since) => {
        this.wake(unit, since);
      },
    });
    this.#probations = new Probations(discovery, context.log, context.params.quarantine);
  }

  /** After a crash of this actor alone the tasks have gone on. */
  async adoptRunning(): Promise<void> {
    for (const child of await this.#children.found()) {
      const { unit } = child.params;
      this.#units.adopt(child);
      // Told to stop by the actor before this one: it will not run, whatever is wished for by now.
      if (child.state === 'stopping') this.#begin({ type: 'stop', unit });
      if (child.state === 'passive') this.#rest(unit, parseTaskRest(child.memo));
    }
  }

  /** Tasks of this node that rest, and that nothing has woken yet. */
  get resting(): number {
    return this.#passive.all.size;
  }

  /** It has no thread; null: it wants to be started anew, or nobody knows by what to wake it. */
  #rest(unit: UnitKey, rest: TaskRest | null): void {
    if (rest === null) {
      this.wake(unit);
      return;
    }
    this.#passive.add(unit, rest);
    this.#followConfig(unit, rest);
  }

  followConfigs(): void {
    for (const [unit, { rest }] of [...this.#passive.all]) this.#followConfig(unit, rest);
  }

  /** A passive task is paused and resumed without a thread; a signal wakes it. */
  #followConfig(unit: UnitKey, rest: TaskRest): void {
    if (this.#state.signals(unit).length > 0) {
      this.wake(unit);
      return;
    }
    const paused = this.#state.target(unit) === 'PAUSED';
    if (paused) this.#passive.hold(unit);
    else this.#passive.resume(unit);
    const state = paused ? 'PAUSED' : 'RUNNING';
    if (this.#units.all.get(unit)?.state !== state) this.#units.rests(unit, passiveOf(rest), state);
  }

  /** A passive task has something to do. */
  wake(unit: UnitKey, since = this.#passive.all.get(unit)?.rest.since): void {
    this.#passive.forget(unit);
    if (!this.#units.all.has(unit)) return;
    // It may rest before the answer to its start is here.
    if (this.#busy.has(unit)) this.#wakeNext.add(unit);
    else this.#begin({ type: 'wake', unit, since });
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
      starting: this.#children.starting,
      moves: this.#moves,
      quarantine: this.#context.params.quarantine,
    });
    for (const action of actions) {
      if (this.#children.starting.has(action.unit)) this.#children.stopStarting(action.unit);
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
      if (parseUnitKey(unit).task !== null) this.#children.stopStarting(unit);
    }
    await gone;
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
    this.#followConfigOf(word);
  }

  /** A task that has taken a newer config over begins with it when it is started again, by whomever. */
  #followConfigOf({ unit, epoch, config: said }: RebalancerProtocol['tell']['taskState']): void {
    const running = this.#units.all.get(unit);
    if (said === undefined || running?.epoch !== epoch) return;
    const newest = this.#state.newerConfig(unit, running.generation, -1);
    if (newest?.version !== said.running || newest.config === running.config) return;
    this.#units.changed(unit, newest.config);
    this.#children.changed(unit, newest).catch((error: unknown) => {
      this.#context.log.warn(
        { err: error, task: unit },
        'the next start of this task has to take its config over',
      );
    });
  }

  onTaskEvent(event: SystemEvent): void {
    const stopping = this.#children.isStopping(event.id);
    if (event.type !== 'exited' || event.reason.code !== 'PASSIVE') this.#units.onTaskEvent(event, stopping);
    else if (!stopping && this.#units.ends(event.id, event.incarnation)) {
      const rest = parseTaskRest(event.memo);
      if (rest !== null) this.#units.rests(event.id, passiveOf(rest), 'RUNNING');
      this.#rest(event.id, rest);
    }
    this.signals.look();
  }

  /** The next rebalancer begins anew with the probations, and with what wakes the passive. */
  async stopWatching(): Promise<void> {
    this.#probations.stop();
    this.replans.stop();
    await this.#passive.close();
  }

  /** Not without the log: what was said is still on its way, or will be lost as well. */
  repeatStatuses(): void {
    this.signals.look();
    if (leaseLeftMs(this.#context.lease) > 0) this.#units.repeatStatuses(this.#state);
  }

  #begin(action: Work): void {
    this.#busy.add(action.unit);
    void this.#perform(action);
  }

  async #perform(action: Work): Promise<void> {
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
        case 'wake':
          await this.#wakeUp(action);
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
      if (this.#wakeNext.delete(unit)) this.wake(unit);
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
    try {
      if (parseUnitKey(unit).task !== null) await this.#children.stop(unit);
    } catch (error) {
      this.#moves.cancel(unit);
      throw error;
    }
    this.#passive.forget(unit);
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
    const installed = this.#installed.read().folders;
    const params = taskParams({ unit, epoch, generation, node: self }, entry, this.#context.params, {
      alive: this.#alive,
      installed,
    });
    if (params === null) return;
    const { config, version } = params;
    this.#units.begin({ unit, epoch, generation, config, version, state: 'RESTARTING' });
    await this.#running(unit, this.#children.start(params));
  }

  /** With the claim that it has: its threads are told apart by their number. */
  async #wakeUp({ unit, since }: Wake): Promise<void> {
    const alive = this.#alive;
    const restedMs = since === undefined ? 0 : Date.now() - since;
    const after = (config: TaskParams['config']): number =>
      restsAfterMs(this.#context.params, config, alive, restedMs);
    await this.#running(unit, this.#children.wake(unit, after));
  }

  get #alive(): number {
    return this.#children.count - this.resting;
  }

  async #running(unit: UnitKey, starting: Promise<void>): Promise<void> {
    try {
      await starting;
    } catch (error) {
      this.#units.end(unit);
      throw error;
    }
    // Told to stop meanwhile it does not run, also where it is wanted again by now.
    if (this.#children.isStopping(unit)) await this.#stop(unit, false);
  }

  async #plan({ unit, epoch, generation }: Extract<Action, { type: 'plan' }>): Promise<void> {
    const config = this.#state.configs?.get(unit)?.config ?? {};
    await this.#planning.plan({ unit, epoch, generation, config }, this.#state.isQuarantined(unit));
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
