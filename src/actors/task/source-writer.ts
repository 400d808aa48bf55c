import type { SourcePosition } from '../../core/model.js';
import { AckLedger } from '../../core/ack-ledger.js';
import type { JsonObject } from '../../sdk/record.js';
import { BatchBuilder } from '../../log/batch.js';
import { LogError, type AppendRequest, type Log, type QueueEntry } from '../../log/log.js';

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** How long a batch that is not full may wait for more records while nothing else is being appended. */
  readonly lingerMs: number;
}

export interface SourceWriterOptions {
  readonly log: Pick<Log, 'append'>;
  readonly limits: BatchLimits;
  /** Appends under way at once. One where positions travel in the append: a failed one must hold back the next. */
  readonly window: number;
  /** The entry that makes these positions durable, in the same append as the records they cover. */
  readonly positionEntry: (positions: readonly SourcePosition[]) => QueueEntry;
  readonly fence: { readonly key: string; readonly epoch: number };
  /** Resolves after the wait before try number `attempt` (from 1); rejects when the task must stop instead. */
  readonly retry: (error: LogError, attempt: number) => Promise<void>;
  readonly onAppended: (records: number, bytes: number) => void;
}

/** Builders are kept from batch to batch for their memory; a source that writes to more queues makes them anew. */
const MAX_KEPT_BUILDERS = 16;
const RECORD_OVERHEAD_BYTES = 8;

interface OpenQueue {
  readonly topic: string;
  readonly queue: number;
  readonly builder: BatchBuilder;
}

/**
 * Collects a source's records into one batch a queue and appends them together with the positions they complete.
 * While an append is under way the next batches fill, so polling never waits for the disk until they are full:
 * what is held is bounded by `maxBytes` (open) plus `window` appends.
 */
export class SourceWriter {
  readonly #options: SourceWriterOptions;
  readonly #ledger = new AckLedger<SourcePosition[]>();
  readonly #open = new Map<string, OpenQueue>();
  #lastQueue: OpenQueue | null = null;
  #positions = new Map<string, SourcePosition>();
  #lastPartition: JsonObject | null = null;
  #lastPartitionKey = '';
  #lastPosition: JsonObject | null = null;
  #count = 0;
  #bytes = 0;
  #openedAt = 0;
  #inFlight = 0;
  #lingerTimer: NodeJS.Timeout | null = null;
  #failure: { readonly error: unknown } | null = null;
  #durable: SourcePosition[][] = [];
  readonly #waiters = new Set<() => void>();

  constructor(options: SourceWriterOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#bytes >= this.#options.limits.maxBytes || this.#count >= this.#options.limits.maxRecords;
  }

  add(
    topic: string,
    queue: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly (readonly [string, Uint8Array])[] | null,
  ): void {
    const target = this.#queue(topic, queue);
    target.builder.add(key, value, timestamp, headers);
    // An estimate, for speed: a character may take up to three bytes.
    this.#bytes += (value?.length ?? 0) + (key?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    if (headers !== null) for (const [, data] of headers) this.#bytes += data.length + RECORD_OVERHEAD_BYTES;
    if (this.#count === 0) this.#openedAt = performance.now();
    this.#count += 1;
  }

  /** The position after the record just added, or after one that was filtered out: it must move on as well. */
  moved(partition: JsonObject, position: JsonObject): void {
    if (partition !== this.#lastPartition) {
      this.#notePosition();
      this.#lastPartition = partition;
      this.#lastPartitionKey = JSON.stringify(partition);
    }
    this.#lastPosition = position;
  }

  /** Appends what is there unless it should wait for more. Call after each poll. */
  pump(): void {
    if (this.#failure !== null || this.#inFlight >= this.#options.window) return;
    if (this.#count === 0 && this.#lastPosition === null) return;
    const wait = this.#options.limits.lingerMs - (performance.now() - this.#openedAt);
    if (this.full || wait <= 0 || this.#waiters.size > 0) this.#send();
    else
      this.#lingerTimer ??= setTimeout(() => {
        this.#lingerTimer = null;
        this.pump();
      }, wait);
  }

  /** Resolves when more records may be added. Throws what made an append fail for good. */
  async room(): Promise<void> {
    while (this.full) {
      this.#check();
      this.pump();
      if (this.full) await this.#progress();
    }
    this.#check();
  }

  /** Resolves when everything added is durable. */
  async drain(): Promise<void> {
    while (this.#count > 0 || this.#lastPosition !== null || this.#positions.size > 0 || this.#inFlight > 0) {
      this.#check();
      const waiting = this.#progress();
      this.pump();
      await waiting;
    }
    this.#check();
  }

  /** Positions that became durable since the last call, the last one of each partition. */
  takeDurable(): readonly SourcePosition[] {
    this.#check();
    const taken = this.#durable;
    if (taken.length === 0) return [];
    this.#durable = [];
    if (taken.length === 1) return taken[0] ?? [];
    const last = new Map<string, SourcePosition>();
    for (const positions of taken)
      for (const item of positions) last.set(JSON.stringify(item.partition), item);
    return [...last.values()];
  }

  #queue(topic: string, queue: number): OpenQueue {
    const last = this.#lastQueue;
    if (last !== null && last.queue === queue && last.topic === topic) return last;
    const key = `${topic}\n${queue}`;
    let found = this.#open.get(key);
    if (found === undefined) {
      found = { topic, queue, builder: new BatchBuilder() };
      this.#open.set(key, found);
    }
    this.#lastQueue = found;
    return found;
  }

  #notePosition(): void {
    if (this.#lastPartition === null || this.#lastPosition === null) return;
    this.#positions.set(this.#lastPartitionKey, {
      partition: this.#lastPartition,
      position: this.#lastPosition,
    });
    this.#lastPosition = null;
  }

  #send(): void {
    this.#notePosition();
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#lingerTimer = null;
    const positions = [...this.#positions.values()];
    const entries: QueueEntry[] = [];
    for (const { topic, queue, builder } of this.#open.values()) {
      if (builder.count === 0) continue;
      entries.push({ topic, queue, batch: builder.build() });
      builder.reset();
    }
    const count = this.#count;
    const bytes = this.#bytes;
    if (positions.length > 0) entries.push(this.#options.positionEntry(positions));
    if (this.#open.size > MAX_KEPT_BUILDERS) {
      this.#open.clear();
      this.#lastQueue = null;
    }
    this.#positions = new Map();
    this.#count = 0;
    this.#bytes = 0;
    const token = this.#ledger.sent(positions);
    this.#inFlight += 1;
    void this.#append({ entries, fence: this.#options.fence }).then(
      () => {
        this.#ledger.acked(token);
        this.#durable.push(...this.#ledger.takeCommittable());
        this.#options.onAppended(count, bytes);
        this.#settled();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#settled();
      },
    );
  }

  async #append(request: AppendRequest): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#options.log.append(request);
        return;
      } catch (error) {
        // Only here is it certain that nothing was appended. After any other failure the outcome is unknown, and
        // the task must start again from what is durable, or records could stand twice.
        if (!(error instanceof LogError) || error.code !== 'LOG_FULL') throw error;
        await this.#options.retry(error, attempt);
      }
    }
  }

  #settled(): void {
    this.#inFlight -= 1;
    this.pump();
    for (const waiter of [...this.#waiters]) waiter();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        resolve();
      };
      this.#waiters.add(done);
    });
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
