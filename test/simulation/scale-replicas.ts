import { decodeRecord, type Writer } from '#troupe/core/replica/envelope.js';
import type { EntryMeta, Machine } from '#troupe/core/replica/machine.js';
import { Replica, type AppliedListener, type ReplicaPort } from '#troupe/core/replica/replicated-state.js';
import {
  DEFAULT_POLICY,
  SnapshotSchedule,
  type SnapshotPolicy,
} from '#troupe/core/replica/snapshot-schedule.js';
import { SnapshotCollector } from '#troupe/core/replica/snapshot.js';
import { Submissions } from '#troupe/core/replica/submissions.js';
import { isSnapshotPart, type ScaleTopics, type TopicName } from './scale-topics.js';
import type { Thread, VirtualTime } from './virtual-time.js';

/** The copy itself writes none: each of its nodes does, by a schedule of its own. */
const NEVER: SnapshotPolicy = { entries: 1e9, bytes: 1e15 };

type Applied<E, R> = readonly [entry: E, result: R, meta: EntryMeta];

interface Read {
  readonly bytes: number;
  readonly part: 'begun' | 'written' | 'more' | null;
  readonly behind: number;
  readonly parts: number;
}

/**
 * One real copy of a state that several nodes look at: they read at the same instants, and each acts by itself on what
 * was read. A thousand copies of ten thousand claims are more than one process can hold.
 */
export class SharedReplica<S, E, R> {
  readonly replica: Replica<S, E, R>;
  readonly machine: Machine<S, E, R>;
  readonly topic: TopicName;
  readonly #time: VirtualTime;
  readonly #topics: ScaleTopics;
  readonly #nodes = new Set<ReplicaOfNode<S, E, R>>();
  readonly #collector = new SnapshotCollector();
  readonly #writers = new Map<string, readonly [string, string, number]>();
  #applied: Applied<E, R>[] = [];
  #read: Read[] = [];
  #snapshot: { readonly at: number; readonly items: readonly unknown[] } | null = null;

  constructor(
    name: string,
    topic: TopicName,
    machine: Machine<S, E, R>,
    topics: ScaleTopics,
    time: VirtualTime,
  ) {
    this.machine = machine;
    this.topic = topic;
    this.#time = time;
    this.#topics = topics;
    this.replica = new Replica({
      machine,
      port: this.#watched(topics.port(topic, null)),
      writer: { node: name, incarnation: name },
      snapshots: NEVER,
      onIssue: ({ code, message }) => {
        throw new Error(`${topic}: ${code} ${message}`);
      },
    });
    this.replica.onApplied((entry, result, meta) => {
      this.#applied.push([entry, result, meta]);
      const { node, incarnation } = meta.writer;
      this.#writers.set(incarnation, [node, incarnation, meta.offset]);
    });
  }

  async follow(signal: AbortSignal): Promise<void> {
    await this.replica.boot();
    await this.replica.follow(signal);
  }

  /** A node's view of it. */
  join(writer: Writer, thread: Thread): ReplicaOfNode<S, E, R> {
    const port = this.#topics.port(this.topic, thread);
    const node = new ReplicaOfNode(this, port, writer, thread);
    this.#nodes.add(node);
    return node;
  }

  /** What a snapshot of this moment holds, made once for all nodes that write one now. */
  items(): readonly unknown[] {
    const { state, appliedOffset } = this.replica;
    if (this.#snapshot?.at !== appliedOffset) {
      const writers = [...this.#writers.values()].slice(-10_000);
      const header = {
        machine: this.machine.name,
        digest: this.machine.digest(state),
        writers: writers.length,
      };
      this.#snapshot = {
        at: appliedOffset,
        items: [header, ...writers, ...this.machine.encodeSnapshot(state)],
      };
    }
    return this.#snapshot.items;
  }

  /** The replica reads on when it has applied what it read. */
  #watched(port: ReplicaPort): ReplicaPort {
    return {
      ...port,
      read: async (from, waitMs, signal) => {
        this.#deal();
        const read = await port.read(from, waitMs, signal);
        for (const { offset, value } of read.records) this.#read.push(this.#lookAt(offset, value));
        return read;
      },
    };
  }

  #lookAt(offset: number, value: Uint8Array): Read {
    const bytes = value.byteLength;
    const record = isSnapshotPart(value) ? decodeRecord(value) : null;
    if (record === null || !('snapshot' in record)) return { bytes, part: null, behind: 0, parts: 0 };
    const begun = !this.#collector.has(record.snapshot);
    const whole = this.#collector.add(record, false);
    if (whole !== null) return { bytes, part: 'written', behind: offset - whole.at, parts: record.of };
    return { bytes, part: begun ? 'begun' : 'more', behind: 0, parts: 0 };
  }

  #deal(): void {
    const [applied, read] = [this.#applied, this.#read];
    if (read.length === 0) return;
    this.#applied = [];
    this.#read = [];
    const own = new Set(applied.map(([, , { writer }]) => writer.incarnation));
    for (const node of this.#nodes) {
      if (node.thread.gone) this.#nodes.delete(node);
      else if (node.listens || own.has(node.writer.incarnation)) {
        this.#time.after(0, () => node.take(applied), node.thread);
      }
      for (const { bytes, part, behind, parts } of read) {
        if (part === null) node.schedule.counted(bytes);
        else if (part === 'begun') node.schedule.begun();
        else if (part === 'written') node.schedule.written(behind, parts);
      }
      node.schedule.writers = this.#writers.size;
      if (node.schedule.due) this.#time.after(0, () => node.writeSnapshot(), node.thread);
    }
  }
}

/** What the actors of one node hold for their replica. */
export class ReplicaOfNode<S, E, R> extends Replica<S, E, R> {
  readonly thread: Thread;
  readonly writer: Writer;
  readonly schedule: SnapshotSchedule;
  readonly #shared: SharedReplica<S, E, R>;
  readonly #submissions: Submissions<E, R>;
  readonly #listeners = new Set<AppliedListener<E, R>>();
  #seen = 0;

  constructor(shared: SharedReplica<S, E, R>, port: ReplicaPort, writer: Writer, thread: Thread) {
    super({ machine: shared.machine, port, writer });
    this.#shared = shared;
    this.thread = thread;
    this.writer = writer;
    this.#submissions = new Submissions(port, writer);
    this.schedule = new SnapshotSchedule(port, writer, DEFAULT_POLICY);
  }

  override get state(): S {
    return this.#shared.replica.state;
  }

  override get appliedOffset(): number {
    return this.#shared.replica.appliedOffset;
  }

  override digest(): string {
    return this.#shared.replica.digest();
  }

  override onApplied(listener: AppliedListener<E, R>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  override onReplaced(): () => void {
    return () => undefined;
  }

  override async boot(): Promise<void> {
    await Promise.resolve();
  }

  override follow(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  override submit(entry: E): Promise<R> {
    return this.#submissions.submit(entry);
  }

  get listens(): boolean {
    return this.#listeners.size > 0;
  }

  /** Own entries come back in the order they were numbered, each once: the log has no faults. */
  take(applied: readonly Applied<E, R>[]): void {
    for (const [entry, result, meta] of applied) {
      if (meta.writer.incarnation === this.writer.incarnation) {
        this.#seen += 1;
        this.#submissions.applied(this.#seen, result);
      }
      for (const listener of this.#listeners) listener(entry, result, meta);
    }
  }

  writeSnapshot(): void {
    if (!this.schedule.due) return;
    this.schedule.write(this.appliedOffset, this.#shared.items(), (error) => {
      throw error;
    });
  }
}
