import type { TransactionPart } from '../../../core/model.js';
import type { LeftPart } from '../../../core/progress/transaction-parts.js';
import type { RecordHeader } from '../../../log/batch.js';
import { transactionHeader } from '../../../log/transaction-mark.js';
import type { JsonObject, RecordTransaction } from '../../../sdk/record.js';
import type { SourceWriter } from './source-writer.js';

/** A record on its way into the log, converted. */
export interface HeldRecord {
  readonly topic: string;
  readonly queue: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[] | null;
  readonly mark: number | undefined;
}

/** What a held record takes besides its texts, about. */
const RECORD_BYTES = 200;

/** A transaction that has begun and not ended. */
export class HeldTransaction {
  readonly key: string;
  readonly partition: JsonObject;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Of its records, what stands in the log from an earlier start. */
  readonly left: LeftPart | null;
  /** Of its records that were polled, whatever has become of them. */
  records = 0;
  bytes = 0;
  position: JsonObject = {};
  /** Nothing of it is held any more. */
  inParts: boolean;
  readonly inside: RecordTransaction;
  /** Made when they are needed: most transactions have few records. */
  #insideHeader: RecordHeader | null = null;
  #endHeader: RecordHeader | null = null;
  #held: HeldRecord[] = [];

  constructor(key: string, partition: JsonObject, id: string, since: number, left: LeftPart | null) {
    this.key = key;
    this.partition = partition;
    this.id = id;
    this.since = since;
    this.left = left;
    this.inParts = left !== null;
    this.inside = { id, end: false };
  }

  get part(): TransactionPart {
    const { partition, id, records, position } = this;
    return { partition, id, records, position };
  }

  marked(headers: readonly RecordHeader[] | null, end: boolean): readonly RecordHeader[] {
    const mark = end
      ? (this.#endHeader ??= transactionHeader({ id: this.id, end }))
      : (this.#insideHeader ??= transactionHeader(this.inside));
    return headers === null ? [mark] : [mark, ...headers];
  }

  /** Answers its bytes, about. */
  hold(record: HeldRecord): number {
    this.#held.push(record);
    const { key, value, headers } = record;
    let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    for (const [name, data] of headers ?? []) bytes += RECORD_BYTES + name.length + data.length;
    this.bytes += bytes;
    return bytes;
  }

  passed(position: JsonObject): void {
    this.records += 1;
    this.position = position;
  }

  /** Gives the writer all that is held; `ended`: the last record of each queue is marked as such. Answers the bytes of it. */
  release(writer: Pick<SourceWriter, 'add'>, ended: boolean): number {
    const held = this.#held;
    const { bytes } = this;
    const last = ended ? lastOfQueues(held) : null;
    this.#held = [];
    this.bytes = 0;
    for (const record of held) {
      const { topic, queue, key, value, timestamp, headers, mark } = record;
      const marked = this.marked(headers, last !== null && last.has(record));
      writer.add(topic, queue, key, value, timestamp, marked, mark);
    }
    return bytes;
  }
}

function lastOfQueues(held: readonly HeldRecord[]): ReadonlySet<HeldRecord> {
  const last = new Map<string, HeldRecord>();
  let before: HeldRecord | null = null;
  for (const record of held) {
    // Only where the queue changes, which it seldom does.
    if (before !== null && (before.queue !== record.queue || before.topic !== record.topic))
      last.set(queueOf(before), before);
    before = record;
  }
  if (before !== null) last.set(queueOf(before), before);
  return new Set(last.values());
}

function queueOf({ topic, queue }: HeldRecord): string {
  return `${topic}\n${queue}`;
}
