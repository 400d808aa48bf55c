/** Three nodes under a steady flow of records, which is watched at its far end while nodes come and go. */
import { Cluster, even } from '#troupe/test/support/cluster.js';
import { Flows } from '#troupe/test/support/flows.js';
import { letPass, until } from '#troupe/test/support/wait.js';
import { startBackend, type Backend } from './backend.js';
import { FarEnd } from './far-end.js';
import type { Options } from './options.js';
import { say } from './report.js';

export const IDS = ['a', 'b', 'c'] as const;
const TASKS = 2;
/** Each source task has some records so often; what is a few times longer is a pause. */
const CADENCE_MS = 50;
const PAUSE_MS = 250;
/** Nodes come and go among others that have had nothing to start for so long. */
const CALM_MS = 5000;
/** A bound, not an expectation. */
export const PATIENCE_MS = 180_000;

/** What a run measured, in milliseconds unless it is a count. */
export type Sample = Readonly<Record<string, number>>;

export class Trial {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly farEnd: FarEnd;
  readonly backend: Backend;

  private constructor(backend: Backend, pairs: number) {
    this.backend = backend;
    this.cluster = new Cluster(backend.nodeSettings);
    this.flows = new Flows(this.cluster, {
      pairs,
      tasks: TASKS,
      source: { batch: '5', 'pause.ms': String(CADENCE_MS) },
      patienceMs: PATIENCE_MS,
    });
    this.farEnd = new FarEnd(this.cluster.journal, PAUSE_MS);
  }

  /**
   * Runs `body` on a cluster that is balanced, and answers what was lost in all of it. When it fails, what it has
   * measured until then still counts, and the failure is a fault.
   */
  static async run(
    options: Options,
    body: (trial: Trial) => Promise<void>,
  ): Promise<{ readonly log: string; readonly records: number; readonly faults: readonly string[] }> {
    const backend = await startBackend(options);
    const trial = new Trial(backend, options.pairs);
    try {
      for (const id of IDS) await trial.cluster.create(id);
      await Promise.all(IDS.map((id) => trial.cluster.node(id).start(PATIENCE_MS)));
      say(`  ${backend.name}: 3 nodes, ${trial.flows.tasks} tasks`);
      await trial.flows.create();
      await trial.balanced('a');
      await trial.flows.moving();
      const failure = await body(trial).then(
        () => null,
        (error: unknown) => String(error),
      );
      if (failure !== null) {
        for (const id of IDS) say(`--- ${id}:\n${trial.cluster.node(id).output.slice(-2000)}`);
        return { log: backend.name, records: 0, faults: [`ended early: ${failure}`] };
      }
      await trial.flows.finish('a');
      const { lost, duplicated, redelivered, reordered, double, records } = trial.flows.delivery.result();
      say(`  ${records} records, lost ${lost}, twice in a topic ${duplicated}, put again ${redelivered}`);
      const faults = [
        ...(lost > 0 ? [`${lost} records were lost`] : []),
        ...(reordered > 0 ? [`${reordered} records came out of their order`] : []),
        ...double,
      ];
      return { log: backend.name, records, faults };
    } finally {
      await trial.cluster.destroy();
      await backend.stop();
    }
  }

  balanced(at: string, ids: readonly string[] = IDS): Promise<readonly number[]> {
    return until(
      `the tasks are shared evenly among ${ids.join(', ')}`,
      async () => {
        const counts = await this.flows.running(at, ids);
        return even(counts) ? counts : null;
      },
      PATIENCE_MS,
    );
  }

  /** The longest pause of any flow since the mark of the far end, once all flow again; and how many tasks moved. */
  async pause(): Promise<{ readonly pauseMs: number; readonly moved: number }> {
    await this.flows.moving();
    const longest = this.farEnd.pauses().map(({ longestMs }) => longestMs);
    return { pauseMs: Math.max(...longest), moved: this.farEnd.started().length };
  }

  others(id: string): readonly string[] {
    return IDS.filter((each) => each !== id);
  }

  /** From the spawn on: until it says that it has booted, and from there until it has its share. */
  async join(id: string): Promise<Sample> {
    const [witness = ''] = this.others(id);
    const node = this.cluster.node(id);
    this.farEnd.mark();
    const spawned = performance.now();
    await node.start(PATIENCE_MS);
    const booted = performance.now();
    await this.balanced(witness);
    const balanced = performance.now();
    const { pauseMs, moved } = await this.pause();
    return { bootMs: booted - spawned, balancedMs: balanced - booted, pauseMs, moved };
  }

  /** A polite leave: SIGTERM, which the node answers by ending with 0. */
  async leave(id: string): Promise<Sample> {
    const others = this.others(id);
    await letPass(CALM_MS);
    this.farEnd.mark();
    const told = performance.now();
    let exitMs = 0;
    const stopped = this.cluster
      .node(id)
      .stop()
      .then((code) => {
        exitMs = performance.now() - told;
        if (code !== 0) throw new Error(`${id} was told to stop and ended with ${String(code)}`);
      });
    const [runningMs] = await Promise.all([this.#runningOn(others, told), stopped]);
    return { ...(await this.pause()), runningMs, exitMs };
  }

  /** SIGKILL. */
  async failover(id: string): Promise<Sample> {
    await letPass(CALM_MS);
    this.farEnd.mark();
    const killed = performance.now();
    await this.cluster.node(id).kill();
    const runningMs = await this.#runningOn(this.others(id), killed);
    return { ...(await this.pause()), runningMs };
  }

  async #runningOn(ids: readonly string[], since: number): Promise<number> {
    await this.flows.running(ids[0] ?? '', ids);
    return performance.now() - since;
  }
}
