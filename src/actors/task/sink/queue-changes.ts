/** Queues come and go while a sink runs: what its plugin is told of it, and in what order. */
import { queueChange, type GoneTopics, type PresentQueue } from '../../../core/progress/queue-changes.js';
import type { SinkOffset } from '../../../core/progress/progress-machine.js';
import type { TopicDescription } from '../../../log/log.js';
import type { QueueOffset, QueueRef, SinkTask } from '../../../sdk/plugin.js';
import type { Gate } from '../gate.js';
import type { PluginCalls } from '../plugin-calls.js';
import { NOT_NOW, type RecordErrors } from '../record-errors.js';
import { isLogNotNow } from '../wait-for-log.js';
import type { SinkOffsets } from './sink-offsets.js';
import type { SinkQueue } from './sink-queue.js';

/** After what did not pass. */
const RETRY_MS = 1000;
/** In the status, of what is waited for. */
const CALL = 'queues';

export interface FoundTopics {
  readonly topics: readonly TopicDescription[];
  readonly gone: GoneTopics;
}

export interface QueueChangesParts {
  readonly task: Pick<SinkTask, 'open' | 'close'>;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly errors: RecordErrors;
  readonly offsets: Pick<SinkOffsets, 'begin' | 'checkSought' | 'ended' | 'forget' | 'leave'>;
  /** Those queues that are the task's. */
  readonly own: (topics: readonly TopicDescription[]) => readonly QueueRef[];
  /** Fences, and answers what the connector has committed. */
  readonly committed: () => Promise<readonly SinkOffset[]>;
  /** Of a queue that has begun. */
  readonly reader: (queue: QueueRef) => SinkQueue;
  /** What the loop does, which runs none of it while `apply` does. */
  readonly loop: {
    readonly flush: () => Promise<boolean>;
    readonly sought: () => readonly QueueOffset[];
    readonly add: (queues: readonly SinkQueue[]) => void;
    readonly forget: (queues: readonly SinkQueue[]) => void;
    readonly wake: () => void;
  };
}

interface Reading extends PresentQueue {
  readonly reader: SinkQueue;
}

/**
 * Old queues go before new ones come: held, flushed, committed, closed; begun, opened, delivered. A step that does not pass
 * is taken again. Where a step ends by SIGKILL, the next start finds in the log what is committed, and what there is to read.
 */
export class QueueChanges {
  readonly #parts: QueueChangesParts;
  #reading: readonly Reading[] = [];
  /** Of `#reading`: the plugin was not told of them yet, and nothing of them is delivered. */
  #opening: readonly Reading[] = [];
  readonly #topicIds = new Map<string, string | null>();
  #asked: FoundTopics | null = null;
  #againAt = 0;

  constructor(parts: QueueChangesParts) {
    this.#parts = parts;
  }

  get assignment(): readonly QueueRef[] {
    return this.#reading.map(({ topic, queue }) => ({ topic, queue }));
  }

  topicId(topic: string): string | null {
    return this.#topicIds.get(topic) ?? null;
  }

  /** Before the loop runs: what the task starts with. */
  async begin(topics: readonly TopicDescription[]): Promise<void> {
    await this.#take(this.#parts.own(topics), topics);
  }

  /** To be done by `apply`. */
  ask(found: FoundTopics): void {
    this.#asked = { topics: found.topics, gone: new Map([...(this.#asked?.gone ?? []), ...found.gone]) };
    this.#againAt = 0;
    this.#parts.loop.wake();
  }

  get areDue(): boolean {
    if (this.#opening.length === 0 && this.#asked === null) return false;
    return performance.now() >= this.#againAt;
  }

  async apply(): Promise<void> {
    if (!(await this.#open())) return;
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    const { topics, gone } = asked;
    const found = {
      own: this.#parts.own(topics),
      topicIds: new Map(topics.map(({ name, id }) => [name, id])),
    };
    const { leaving, coming } = queueChange(this.#reading, found, gone);
    if (leaving.length > 0 && !(await this.#close(leaving, gone))) {
      this.#later(asked);
      return;
    }
    try {
      if (coming.length > 0) await this.#take(coming, topics);
    } catch (error) {
      if (!isLogNotNow(error)) throw error;
      this.#parts.errors.retriedLater(CALL, error);
      this.#later({ topics, gone: new Map() });
      return;
    }
    this.#parts.errors.recovered(CALL);
    await this.#open();
  }

  /** The task stops in order. */
  async end(): Promise<void> {
    const { task, calls } = this.#parts;
    const open = refsOf(this.#reading.filter((queue) => !this.#opening.includes(queue)));
    if (open.length > 0) await calls.run('close', () => task.close?.(open));
  }

  #later({ topics, gone }: FoundTopics): void {
    const newer = this.#asked;
    this.#asked = {
      topics: newer?.topics ?? topics,
      gone: new Map([...gone, ...(newer?.gone ?? [])]),
    };
    this.#againAt = performance.now() + RETRY_MS;
  }

  /** False: it is to be done again. */
  async #close(leaving: readonly Reading[], gone: GoneTopics): Promise<boolean> {
    const { task, calls, gate, errors, offsets, loop } = this.#parts;
    for (const { reader } of leaving) reader.held = true;
    offsets.ended(leaving.map(({ topic }) => topic));
    if (!(await loop.flush())) return false;
    const opened = refsOf(leaving.filter((queue) => !this.#opening.includes(queue)));
    if (opened.length > 0) {
      const closed = await errors.retrying('close', gate, () =>
        calls.run('close', () => task.close?.(opened)),
      );
      if (closed === NOT_NOW) return false;
    }
    await offsets.forget(gone.keys());
    loop.forget(leaving.map(({ reader }) => reader));
    offsets.leave(leaving);
    this.#reading = this.#reading.filter((queue) => !leaving.includes(queue));
    this.#opening = this.#opening.filter((queue) => !leaving.includes(queue));
    const left = new Set(this.#reading.map(({ topic }) => topic));
    for (const { topic } of leaving) if (!left.has(topic)) this.#topicIds.delete(topic);
    return true;
  }

  async #take(coming: readonly QueueRef[], topics: readonly TopicDescription[]): Promise<void> {
    const { offsets, committed, reader, loop } = this.#parts;
    const theirs = topics.filter(({ name }) => coming.some(({ topic }) => topic === name));
    await offsets.begin({ queues: coming, topics: theirs, committed: await committed() });
    for (const { name, id } of theirs) this.#topicIds.set(name, id);
    const begun = coming.map(({ topic, queue }) => ({
      topic,
      queue,
      topicId: this.topicId(topic),
      reader: reader({ topic, queue }),
    }));
    for (const queue of begun) queue.reader.held = true;
    this.#reading = [...this.#reading, ...begun];
    this.#opening = [...this.#opening, ...begun];
    loop.add(begun.map((queue) => queue.reader));
  }

  /** False: it is to be done again. */
  async #open(): Promise<boolean> {
    const { task, calls, gate, errors, offsets, loop } = this.#parts;
    const opening = this.#opening;
    if (opening.length === 0) return true;
    if (task.open !== undefined) {
      const opened = await errors.retrying('open', gate, () =>
        calls.run('open', () => task.open?.(refsOf(opening))),
      );
      if (opened === NOT_NOW) return false;
      const isOpening = (at: QueueOffset): boolean =>
        opening.some(({ topic, queue }) => queue === at.queue && topic === at.topic);
      await offsets.checkSought(loop.sought().filter(isOpening));
    }
    for (const { reader } of opening) reader.held = false;
    this.#opening = [];
    return true;
  }
}

function refsOf(queues: readonly QueueRef[]): readonly QueueRef[] {
  return queues.map(({ topic, queue }) => ({ topic, queue }));
}
