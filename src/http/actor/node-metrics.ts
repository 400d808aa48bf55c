/** Puts together what `GET /metrics` shows: the counts of actors from shared memory, and the tree as the supervisor has it. */
import type { ReadMetric, ReadSeries } from '../../actors/kernel/metrics-reader.js';
import { MetricsReader } from '../../actors/kernel/metrics-reader.js';
import type { ActorMetrics, Ref, SystemRef, TreeNode } from '../../actors/kernel/protocol.js';
import type { RebalancerProtocol } from '../../actors/rebalancer/protocol.js';
import {
  Exposition,
  sampleHeads,
  type MetricsFormat,
  type SampleHead,
} from '../../core/metrics/exposition.js';
import { ACTOR_METRICS, NODE_METRICS, TASK_STATE_METRICS } from '../../core/metrics/metric-tables.js';
import { parseUnitKey, type UnitKey } from '../../core/model.js';
import type { MetricDefinition } from '../../sdk/metric-definition.js';
import type { Call, WorkerInfo } from '../runtime.js';

/** A rebalancer that is busy must not keep the metrics from who wants to know why. */
const ALLOCATED_MS = 1000;
const TASK_LABELS = ['connector', 'task'];
/** Those that a task of a node can be in; each is shown, also with none. */
const TASK_STATES = ['RUNNING', 'PAUSED', 'RESTARTING', 'FAILED'];

/** Seconds since 1970. */
const STARTED = Math.round(Date.now() / 1000 - process.uptime());

/** States by unit key. */
type Tasks = ReadonlyMap<UnitKey, string>;

export class NodeMetrics {
  readonly #worker: WorkerInfo;
  readonly #rebalancer: Ref<RebalancerProtocol>;
  readonly #system: SystemRef;
  /** As many as the supervisor keeps. */
  readonly #actors = new Map<string, ActorSamples>();
  #version = 0;

  constructor(worker: WorkerInfo, rebalancer: Ref<RebalancerProtocol>, system: SystemRef) {
    this.#worker = worker;
    this.#rebalancer = rebalancer;
    this.#system = system;
  }

  async text(call: Call, format: MetricsFormat): Promise<string> {
    call.waitingFor = 'the supervisor';
    const [tree, tasks] = await Promise.all([this.#system.tree(), this.#tasks(call), this.#update()]);
    call.waitingFor = '';
    const exposition = new Exposition(format);
    addNode(exposition, tree, this.#worker);
    addActors(exposition, tree, this.#actors);
    if (tasks !== null) addStates(exposition, tasks);
    exposition.family(TASK_STATE_METRICS.restarts);
    const here = tasks ?? new Map(childrenOf(tree, 'tasks').map(({ id, state }) => [id, state]));
    let leftOut = 0;
    for (const unit of [...here.keys()].sort()) leftOut += this.#actors.get(unit)?.addTo(exposition) ?? 0;
    one(exposition, NODE_METRICS.leftOut, leftOut);
    return exposition.text();
  }

  /** What this node runs, also what has no thread at the moment; null: nobody says it now. */
  async #tasks(call: Call): Promise<Tasks | null> {
    const { signal } = call;
    try {
      const deadlineMs = Math.min(ALLOCATED_MS, call.remainingMs());
      const { units } = await this.#rebalancer.ask('allocated', {}, { deadlineMs, signal });
      return new Map(
        units.filter(({ unit }) => parseUnitKey(unit).task !== null).map(({ unit, state }) => [unit, state]),
      );
    } catch {
      return null;
    }
  }

  async #update(): Promise<void> {
    const { version, ids, changed } = await this.#system.metrics(this.#version);
    // Two scrapes at once may be answered in any order.
    if (version < this.#version) return;
    this.#version = version;
    for (const actor of changed) {
      const known = this.#actors.get(actor.id);
      const samples = known?.born === actor.born ? known : new ActorSamples(actor);
      samples.update(actor);
      this.#actors.set(actor.id, samples);
    }
    const kept = new Set(ids);
    for (const id of this.#actors.keys()) if (!kept.has(id)) this.#actors.delete(id);
  }
}

/** Of one actor, with the beginnings of its lines. */
class ActorSamples {
  readonly born: number;
  #actor: ActorMetrics;
  readonly #reader = new MetricsReader();
  readonly #labels: readonly string[];
  readonly #heads = new WeakMap<ReadSeries, readonly SampleHead[]>();
  readonly #restarts: readonly SampleHead[];

  constructor(actor: ActorMetrics) {
    this.born = actor.born;
    this.#actor = actor;
    const { connector, task } = parseUnitKey(actor.id);
    this.#labels = [connector, String(task ?? 0)];
    this.#restarts = sampleHeads(TASK_STATE_METRICS.restarts, TASK_LABELS, this.#labels);
  }

  get restarts(): number {
    return this.#actor.restarts;
  }

  update(actor: ActorMetrics): void {
    this.#actor = actor;
    this.#reader.add(actor.chunks);
  }

  /** As a task. Answers how many metrics are left out. */
  addTo(exposition: Exposition): number {
    exposition.add(TASK_STATE_METRICS.restarts, this.#restarts, [this.restarts]);
    let leftOut = 0;
    for (const read of this.#reader.metrics()) {
      if (!this.#isCurrent(read)) continue;
      if (exposition.family(read.metric) === null) leftOut += 1;
      else this.#add(exposition, read);
    }
    return leftOut;
  }

  /** One that the plugin has given up is not shown: it runs, and has not registered it again. A gauge needs who sets it. */
  #isCurrent({ metric, life }: ReadMetric): boolean {
    const { thread, life: newest } = this.#actor;
    if (thread === 'none') return metric.type !== 'gauge';
    return life === newest || (thread === 'starting' && metric.type !== 'gauge');
  }

  #add(exposition: Exposition, { metric, series }: ReadMetric): void {
    for (const each of series) {
      if (metric.type === 'gauge' && !each.isSet) continue;
      let heads = this.#heads.get(each);
      if (heads === undefined) {
        heads = sampleHeads(metric, [...TASK_LABELS, ...metric.labels], [...this.#labels, ...each.values]);
        this.#heads.set(each, heads);
      }
      exposition.add(metric, heads, each.read());
    }
  }
}

function addNode(exposition: Exposition, tree: TreeNode, { version, commit }: WorkerInfo): void {
  const { user, system } = process.cpuUsage();
  const threads = actorsOf(tree).filter(({ threadId }) => threadId !== undefined).length;
  one(exposition, NODE_METRICS.build, 1, [version, commit, process.versions.node]);
  one(exposition, NODE_METRICS.threads, threads);
  one(exposition, NODE_METRICS.cpu, (user + system) / 1e6);
  one(exposition, NODE_METRICS.memory, process.memoryUsage.rss());
  one(exposition, NODE_METRICS.started, STARTED);
}

function addActors(exposition: Exposition, tree: TreeNode, actors: ReadonlyMap<string, ActorSamples>): void {
  const { up, restarts, heap, external, loopUse, mailbox } = ACTOR_METRICS;
  for (const metric of Object.values(ACTOR_METRICS)) exposition.family(metric);
  const tasks = new Set(childrenOf(tree, 'tasks'));
  for (const node of actorsOf(tree)) {
    const { id, state, heapUsedBytes, externalBytes, eventLoopUse } = node;
    one(exposition, up, state === 'running' ? 1 : 0, [id]);
    if (!tasks.has(node)) one(exposition, restarts, actors.get(id)?.restarts ?? 0, [id]);
    if (heapUsedBytes !== undefined) one(exposition, heap, heapUsedBytes, [id]);
    if (externalBytes !== undefined) one(exposition, external, externalBytes, [id]);
    if (eventLoopUse !== undefined) one(exposition, loopUse, eventLoopUse, [id]);
    if (node.mailbox !== undefined) one(exposition, mailbox, node.mailbox, [id]);
  }
}

function addStates(exposition: Exposition, tasks: Tasks): void {
  const counts = new Map(TASK_STATES.map((state) => [state, 0]));
  for (const state of tasks.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const [state, count] of counts)
    one(exposition, TASK_STATE_METRICS.tasks, count, [state.toLowerCase()]);
}

function one(
  exposition: Exposition,
  metric: MetricDefinition,
  value: number,
  values: readonly string[] = [],
): void {
  exposition.add(metric, sampleHeads(metric, metric.labels, values), [value]);
}

function actorsOf(node: TreeNode): TreeNode[] {
  return node.kind === 'actor' ? [node] : (node.children ?? []).flatMap(actorsOf);
}

/** Of the supervisor of that name. */
function childrenOf(tree: TreeNode, supervisor: string): readonly TreeNode[] {
  if (tree.id === supervisor) return tree.children ?? [];
  return (tree.children ?? []).flatMap((child) => childrenOf(child, supervisor));
}
