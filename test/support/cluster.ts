import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs, readJournal, sourceUnits, tally, unstopped, type Tally } from './journal.js';
import { NodeProcess, removeFolder, START_MS, temporaryFolder, type Reply } from './node-process.js';
import type { Suspension } from './overlaps.js';
import { pluginPackage } from './plugin-package.js';
import { until } from './wait.js';

export interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly worker_id: string;
  readonly trace?: string;
}

export interface Status {
  readonly name: string;
  readonly connector: { readonly state: string; readonly worker_id: string; readonly trace?: string };
  readonly tasks: readonly TaskStatus[];
}

/** Several nodes on one shared store, each in a folder of its own, with the tests' plugins. */
export class Cluster {
  readonly dir = temporaryFolder();
  readonly journal = join(this.dir, 'journal.txt');
  /** Those that are over. */
  readonly suspensions: Suspension[] = [];
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #suspended = new Map<NodeProcess, number>();
  readonly #settings: Readonly<Record<string, string>>;

  constructor(settings: Readonly<Record<string, string>> = {}) {
    for (const [name, type] of [
      ['numbering-source', 'source'],
      ['recording-sink', 'sink'],
      ['opening-sink', 'sink'],
      ['killing-source', 'source'],
    ] as const) {
      pluginPackage(this.dir, { class: className(name), type, module: `./${name}.js` });
    }
    this.#settings = {
      pluginPaths: join(this.dir, 'plugins'),
      ...(settings['namesrvAddr'] === undefined ? { 'store.path': join(this.dir, 'log') } : {}),
      'task.restart.backoff.min.ms': '50',
      ...settings,
    };
  }

  get nodes(): readonly NodeProcess[] {
    return [...this.#nodes.values()];
  }

  get ids(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  node(id: string): NodeProcess {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Makes the node; does not start it. */
  async create(id: string, settings: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    const dir = join(this.dir, id);
    mkdirSync(dir, { recursive: true });
    const node = await NodeProcess.create(dir, { ...this.#settings, workerId: id, ...settings });
    this.#nodes.set(id, node);
    return node;
  }

  async start(...ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map(async (id) => (this.#nodes.get(id) ?? (await this.create(id))).start()));
    await Promise.all(
      ids.map((id) => this.members(id, (found) => ids.every((each) => found.includes(each)))),
    );
  }

  suspend(id: string): void {
    const node = this.node(id);
    this.#suspended.set(node, nowMs());
    node.signal('SIGSTOP');
  }

  resume(id: string): void {
    const node = this.node(id);
    const from = this.#suspended.get(node);
    if (from === undefined) throw new Error(`${id} is not suspended`);
    this.#suspended.delete(node);
    this.suspensions.push({ pid: node.pid, from, to: nowMs() });
    node.signal('SIGCONT');
  }

  /** Waits until that node sees members that satisfy the condition. */
  async members(at: string, condition: (ids: readonly string[]) => boolean): Promise<readonly string[]> {
    return until(
      `${at} sees the right members`,
      async () => {
        const { body } = await this.node(at).request('GET', '/getClusterInfo');
        const ids = body as string[];
        if (condition(ids)) return ids;
        throw new Error(JSON.stringify(ids));
      },
      START_MS,
    );
  }

  async status(at: string, connector: string): Promise<Status> {
    const { status, body } = await this.node(at).request('GET', `/connectors/${connector}/status`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as Status;
  }

  /** Waits until all tasks are RUNNING as the condition says; answers who runs each, by its number. */
  async running(
    at: string,
    connector: string,
    tasks: number,
    condition: (owners: readonly string[]) => boolean = () => true,
    deadlineMs = START_MS,
  ): Promise<readonly string[]> {
    const look = async (): Promise<readonly string[]> => {
      const status = await this.status(at, connector);
      const owners = status.tasks.map(({ worker_id }) => worker_id);
      const all = status.tasks.length === tasks && status.tasks.every(({ state }) => state === 'RUNNING');
      if (all && condition(owners)) return owners;
      throw new Error(JSON.stringify(status));
    };
    return until(`${tasks} tasks of ${connector} run as they should, seen by ${at}`, look, deadlineMs);
  }

  source(tasks: number, settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      'connector.class': 'NumberingSource',
      'tasks.max': String(tasks),
      topic: 'numbers',
      journal: this.journal,
      ...settings,
    };
  }

  sink(tasks: number, settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      'connector.class': 'RecordingSink',
      'tasks.max': String(tasks),
      topics: 'numbers',
      journal: this.journal,
      ...settings,
    };
  }

  /** Again where the node says so: on a loaded machine an actor may be taken for hung, and be started anew. */
  async put(at: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const put = async (): Promise<Reply> => {
      const reply = await this.node(at).request('PUT', `/connectors/${name}/config`, config);
      if (reply.status === 503) throw new Error(JSON.stringify(reply.body));
      return reply;
    };
    const { status, body } = await until(`${at} can take ${name}`, put, START_MS);
    if (status >= 300) throw new Error(`PUT ${name}: ${status} ${JSON.stringify(body)}`);
  }

  /** Waits until no task of any source runs: each has said how much it has made. */
  async #sourcesStopped(): Promise<void> {
    await until(
      'the tasks of all sources have stopped',
      () => {
        const acts = readJournal(this.journal);
        const running = unstopped(acts, sourceUnits(acts));
        if (running.length === 0) return true;
        throw new Error(running.join(', '));
      },
      START_MS,
    );
  }

  /**
   * Reads the whole topic of the sources by a sink of its own, once they were told to stop for good. Another source
   * marks the end of what they wrote; its records are counted with theirs.
   */
  async countAll(at: string): Promise<Tally> {
    await this.#sourcesStopped();
    await this.put(at, 'count', this.sink(1));
    await this.put(at, 'end', this.source(1));
    await until(
      'the end of the topic is read',
      () =>
        readJournal(this.journal).some(({ unit, value }) => unit === 'count/0' && value.startsWith('end/')),
      START_MS,
    );
    const { status, body } = await this.node(at).request('PUT', '/connectors/end/stop');
    if (status !== 204) throw new Error(JSON.stringify(body));
    await this.#sourcesStopped();
    // What is lost stays lost: the caller will see it.
    return until(
      'everything that was made was read',
      () => {
        const found = tally(readJournal(this.journal), 'count/0');
        return found.lost === 0 && found;
      },
      START_MS,
    ).catch(() => tally(readJournal(this.journal), 'count/0'));
  }

  /** Ends every process and removes the folder. */
  async destroy(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    removeFolder(this.dir);
  }
}

/** How many units each node has, in the order of the ids. */
export function counts(owners: readonly string[], ids: readonly string[]): number[] {
  return ids.map((id) => owners.filter((owner) => owner === id).length);
}

/** Differ by at most one. */
export function even(loads: readonly number[]): boolean {
  return Math.max(...loads) - Math.min(...loads) <= 1;
}

function className(module: string): string {
  return module.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
