/** Pairs of connectors in a cluster, a source of numbers and a sink that records them, with a topic between them. */
import type { Cluster, Status, TaskStatus } from './cluster.js';
import { Delivery } from './delivery.js';
import { readJournal, unstopped } from './journal.js';
import { until } from './wait.js';

export interface FlowOptions {
  readonly pairs: number;
  /** Of each connector. */
  readonly tasks: number;
  readonly source?: Readonly<Record<string, string>>;
  readonly sink?: Readonly<Record<string, string>>;
  /** A bound for each wait, not an expectation. */
  readonly patienceMs: number;
}

export class Flows {
  readonly delivery: Delivery;
  readonly #cluster: Cluster;
  readonly #options: FlowOptions;

  constructor(cluster: Cluster, options: FlowOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.delivery = new Delivery(cluster.journal, cluster.suspensions);
  }

  /** Of all connectors. */
  get tasks(): number {
    return this.#options.pairs * this.#options.tasks * 2;
  }

  get sources(): readonly string[] {
    return Array.from({ length: this.#options.pairs }, (_, i) => `src-${i}`);
  }

  /** Each by the next node in turn. */
  async create(): Promise<void> {
    const { tasks, source, sink, patienceMs } = this.#options;
    for (const [i, name] of this.sources.entries()) {
      const at = this.#cluster.ids[i % this.#cluster.ids.length] ?? '';
      const topic = `numbers-${i}`;
      await this.#cluster.put(at, name, this.#cluster.source(tasks, { topic, keyed: 'true', ...source }));
      await until(
        `${name} has made its topic`,
        async () =>
          (await this.#cluster.status(at, name)).tasks.every(({ state }) => state === 'RUNNING') &&
          this.delivery.update().started(name),
        patienceMs,
      );
      await this.#cluster.put(at, `out-${i}`, this.#cluster.sink(tasks, { topics: topic, ...sink }));
    }
  }

  /** Waits until every task is RUNNING, and on the right nodes; answers how many tasks each node has. */
  async running(at: string, ids: readonly string[] = this.#cluster.ids): Promise<readonly number[]> {
    return until(
      `all ${this.tasks} tasks run on ${ids.join(', ')}, seen by ${at}`,
      async () => {
        const all = await this.#statuses(at);
        const counts = ids.map((id) => all.filter(({ worker_id }) => worker_id === id).length);
        const right = counts.reduce((sum, count) => sum + count, 0) === this.tasks;
        if (right && all.length === this.tasks && all.every(({ state }) => state === 'RUNNING'))
          return counts;
        throw new Error(
          all.map(({ worker_id, state, trace = '' }) => `${worker_id} ${state} ${trace}`).join('; '),
        );
      },
      this.#options.patienceMs,
    );
  }

  /** Waits until every source task has some new record delivered. */
  async moving(): Promise<void> {
    const before = this.delivery.update().counts();
    await until(
      'new records of every source task are delivered',
      () => {
        const now = this.delivery.update().counts();
        const still = this.#sourceUnits.filter((unit) => (now.get(unit) ?? 0) <= (before.get(unit) ?? 0));
        if (still.length === 0) return true;
        throw new Error(`nothing new of ${still.join(', ')}`);
      },
      this.#options.patienceMs,
    );
  }

  /** Stops the sources for good, and waits until all they made is delivered. */
  async finish(at: string): Promise<void> {
    const { patienceMs } = this.#options;
    for (const name of this.sources) {
      await until(
        `${name} is told to stop`,
        async () => {
          const { status, body } = await this.#cluster.node(at).request('PUT', `/connectors/${name}/stop`);
          if (status === 204) return true;
          throw new Error(JSON.stringify(body));
        },
        patienceMs,
      );
    }
    // The status names no task from the moment the stop is known; the tasks still append what they had polled.
    await until(
      'the tasks of the sources have stopped',
      () => unstopped(readJournal(this.#cluster.journal), this.#sourceUnits).length === 0,
      patienceMs,
    );
    // What is lost stays lost: the caller will see it.
    await until(
      'everything is delivered',
      () => this.delivery.update().result().lost === 0,
      patienceMs,
    ).catch(() => undefined);
  }

  get #sourceUnits(): string[] {
    return this.sources.flatMap((name) =>
      Array.from({ length: this.#options.tasks }, (_, task) => `${name}/${task}`),
    );
  }

  async #statuses(at: string): Promise<readonly TaskStatus[]> {
    const { status, body } = await this.#cluster.node(at).request('GET', '/connectors?expand=status');
    if (status !== 200) throw new Error(JSON.stringify(body));
    const found = body as Readonly<Record<string, { readonly status: Status }>>;
    return Object.values(found).flatMap((each) => each.status.tasks);
  }
}
