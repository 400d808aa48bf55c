import type { ReplicaPort } from '#troupe/core/replica/replicated-state.js';
import { SimulatedStore } from './simulated-store.js';
import type { Random } from './random.js';
import type { Thread, VirtualTime } from './virtual-time.js';
import { CLUSTER_TOPIC, CONFIG_TOPIC, OFFSET_TOPIC, POSITION_TOPIC } from './world.js';

export const TOPICS = [CLUSTER_TOPIC, CONFIG_TOPIC, POSITION_TOPIC, OFFSET_TOPIC] as const;
export type TopicName = (typeof TOPICS)[number];

/** On the way to the log, and back, in milliseconds. */
const FASTEST_MS = 1;
const LATENCY_SPREAD_MS = 10;
/** As src/log/replicated-topic.ts reads. */
const READ_RECORDS = 10_000;
const READ_BYTES = 1 << 20;

export interface Written {
  readonly messages: number;
  readonly bytes: number;
  /** Of these, parts of snapshots. */
  readonly snapshotBytes: number;
}

/** The first letter of the first name after the version: `snapshot` or `node` (core/envelope.ts). */
const KIND_AT = '{"v":1,"'.length;

export function isSnapshotPart(value: Uint8Array): boolean {
  return value[KIND_AT] === 's'.charCodeAt(0);
}

/** The cluster topics on a log without faults, and what was written to them. */
export class ScaleTopics {
  readonly #store: SimulatedStore;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #written = new Map<TopicName, { messages: number; bytes: number; snapshotBytes: number }>();
  /** By topic and type of entry. */
  readonly #kinds = new Map<string, { messages: number; bytes: number }>();

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    const capabilities = { atomicAppend: true, fencing: true, trim: true, maxRecordBytes: 1_000_000 };
    this.#store = new SimulatedStore(
      capabilities,
      () => time.now,
      (topic, { value }) => {
        this.#count(topic as TopicName, value);
      },
    );
    for (const topic of TOPICS) {
      this.#store.createTopic(topic, 1);
      this.#written.set(topic, { messages: 0, bytes: 0, snapshotBytes: 0 });
    }
  }

  written(topic: TopicName): Written {
    return { ...(this.#written.get(topic) ?? { messages: 0, bytes: 0, snapshotBytes: 0 }) };
  }

  /** Mean size and number of each type of entry so far. */
  get kinds(): Readonly<Record<string, { readonly messages: number; readonly bytesEach: number }>> {
    const kinds = [...this.#kinds].map(([kind, { messages, bytes }]) => [
      kind,
      { messages, bytesEach: Math.round(bytes / messages) },
    ]);
    return Object.fromEntries(kinds) as ReturnType<() => ScaleTopics['kinds']>;
  }

  end(topic: TopicName): number {
    return this.#store.queue(topic, 0).endOffset;
  }

  /** `thread` null: for something that outlives all processes. */
  port(topic: TopicName, thread: Thread | null): ReplicaPort {
    const queue = this.#store.queue(topic, 0);
    return {
      append: (values) =>
        new Promise((resolve) => {
          this.#later(null, () => {
            const offset = this.#store.append(topic, 0, values);
            this.#later(thread, () => {
              resolve(offset);
            });
          });
        }),
      read: (from, waitMs) =>
        new Promise((resolve) => {
          const answer = (): void => {
            const { startOffset, endOffset } = queue;
            const start = Math.max(from, startOffset);
            let end = start;
            let bytes = 0;
            while (end < Math.min(endOffset, start + READ_RECORDS) && bytes < READ_BYTES) {
              bytes += queue.history[end]?.value.byteLength ?? 0;
              end += 1;
            }
            resolve({ records: queue.history.slice(start, end), nextOffset: end, startOffset, endOffset });
          };
          const soon = (): void => {
            this.#later(thread, answer);
          };
          if (waitMs === 0 || queue.endOffset > from) soon();
          else queue.onMore(soon);
        }),
      // As RocketMQ, which deletes by age alone.
      trim: () => Promise.resolve(),
    };
  }

  #later(thread: Thread | null, action: () => void): void {
    this.#time.after(FASTEST_MS + this.#random.next(LATENCY_SPREAD_MS), action, thread);
  }

  #count(topic: TopicName, value: Uint8Array): void {
    const part = isSnapshotPart(value);
    const written = this.#written.get(topic);
    if (written === undefined) return;
    written.messages += 1;
    written.bytes += value.byteLength;
    if (part) written.snapshotBytes += value.byteLength;
    const [, type = '?'] = part ? ['', 'snapshot'] : (/"entry":\{"type":"(\w+)"/.exec(textOf(value)) ?? []);
    const kind = this.#kinds.get(`${topic} ${type}`) ?? { messages: 0, bytes: 0 };
    this.#kinds.set(`${topic} ${type}`, kind);
    kind.messages += 1;
    kind.bytes += value.byteLength;
  }
}

/** The type stands within the first few names. */
function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, 300)).toString('latin1');
}
