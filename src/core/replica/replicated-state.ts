import { decodeRecord, type Envelope, type SnapshotPart, type Writer } from './envelope.js';
import { count, object, text } from './json-shape.js';
import type { EntryMeta, Machine } from './machine.js';
import type { ReplicaPort, ReplicaRead } from './replica-port.js';
import { DEFAULT_POLICY, SnapshotSchedule, type SnapshotPolicy } from './snapshot-schedule.js';
import { SnapshotCollector, type WholeSnapshot } from './snapshot.js';
import { Submissions } from './submissions.js';
import { Writers } from './writers.js';

export type { EntryMeta, Machine } from './machine.js';
export type { ReplicaPort, ReplicaRead } from './replica-port.js';
export type { SnapshotPolicy } from './snapshot-schedule.js';

export interface ReplicaIssue {
  readonly code:
    'BROKEN_ENTRY' | 'BROKEN_SNAPSHOT' | 'ENTRY_FAILED' | 'SNAPSHOT_NOT_WRITTEN' | 'ENTRIES_MISSING';
  readonly offset: number;
  readonly message: string;
}

export interface ReplicaOptions<S, E, R> {
  readonly machine: Machine<S, E, R>;
  readonly port: ReplicaPort;
  /** Its incarnation must be new for every Replica object, or its entries look like repeated ones. */
  readonly writer: Writer;
  readonly snapshots?: SnapshotPolicy;
  /** Longest wait of one read of `follow`, in milliseconds. */
  readonly waitMs?: number;
  /** Something was skipped, or is not as it should be; the replica goes on. */
  readonly onIssue?: (issue: ReplicaIssue) => void;
}

export type AppliedListener<E, R> = (entry: E, result: R, meta: EntryMeta) => void;

interface Pending {
  readonly offset: number;
  readonly timestamp: number;
  readonly envelope: Envelope;
}

const isHeader = object<{ readonly machine: string; readonly digest: string; readonly writers: number }>({
  machine: text,
  digest: text,
  writers: count,
});

/**
 * One node's copy of a replicated state: `boot`, then `follow` for as long as the node lives. A copy is either whole,
 * or (at boot, and when the log was trimmed ahead of it) looking for a snapshot to start from: until then it holds
 * entries back. That is bounded by the distance between snapshots.
 */
export class Replica<S, E, R> {
  readonly #machine: Machine<S, E, R>;
  readonly #port: ReplicaPort;
  readonly #writer: Writer;
  readonly #waitMs: number;
  readonly #onIssue: (issue: ReplicaIssue) => void;
  readonly #submissions: Submissions<E, R>;
  readonly #schedule: SnapshotSchedule;
  readonly #collector = new SnapshotCollector();
  readonly #applied = new Set<AppliedListener<E, R>>();
  readonly #replaced = new Set<() => void>();
  #state: S;
  #writers = new Writers();
  #position = 0;
  /** Entries held back until a snapshot is found; null while the state is whole. */
  #heldBack: Pending[] | null = null;
  #heldFrom = 0;
  #digest: string | null = null;
  #skipped = 0;

  constructor(options: ReplicaOptions<S, E, R>) {
    this.#machine = options.machine;
    this.#port = options.port;
    this.#writer = options.writer;
    this.#waitMs = options.waitMs ?? 5000;
    this.#onIssue = options.onIssue ?? (() => undefined);
    this.#submissions = new Submissions(options.port, options.writer);
    this.#schedule = new SnapshotSchedule(options.port, options.writer, options.snapshots ?? DEFAULT_POLICY);
    this.#state = options.machine.initial();
  }

  /** To read, not to change. It moves on with every entry: copy what must stay. */
  get state(): S {
    return this.#state;
  }

  /** The state is the one before the entry at this offset. */
  get appliedOffset(): number {
    return this.#position;
  }

  /** Broken entries that were passed over. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Equal on all nodes that have read as far. The running one, where the machine has one. */
  digest(): string {
    return (this.#digest ??= this.#machine.runningDigest?.(this.#state) ?? this.#machine.digest(this.#state));
  }

  /** Called after each entry that was not a repeated one, in order. Returns the function that ends it. */
  onApplied(listener: AppliedListener<E, R>): () => void {
    this.#applied.add(listener);
    return () => this.#applied.delete(listener);
  }

  /** Called when the state was replaced by a snapshot while following: entries were passed over. */
  onReplaced(listener: () => void): () => void {
    this.#replaced.add(listener);
    return () => this.#replaced.delete(listener);
  }

  /**
   * Builds the state as of the end of the topic. Looks for a snapshot in the last records first, and further back when
   * there is none, so that a long topic need not be read whole.
   */
  async boot(signal?: AbortSignal): Promise<void> {
    for (let window = 2 * this.#schedule.policy.entries; ; window *= 8) {
      const { startOffset, endOffset } = await this.#port.read(0, 0, signal);
      const from = Math.max(startOffset, endOffset - window);
      this.#begin(from);
      while (this.#position < endOffset) await this.#read(0, signal);
      if (this.#heldBack === null) return;
      if (this.#heldFrom <= startOffset) {
        this.#goOnWithout();
        return;
      }
    }
  }

  /** Follows the topic until the signal, or rejects with what made reading fail. What was submitted ends with it. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#schedule.following();
    try {
      while (!signal.aborted) {
        const { endOffset } = await this.#read(this.#waitMs, signal);
        // Nothing more to find a snapshot in: better a state without what is lost than none.
        if (this.#heldBack !== null && this.#position >= endOffset) this.#goOnWithout();
        this.#schedule.writers = this.#writers.size;
        if (this.#heldBack === null && this.#schedule.due) this.#writeSnapshot();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#submissions.close();
      await this.#schedule.settled();
    }
  }

  /**
   * Appends an entry and resolves with the result of applying it, when it is read back. Rejects with the append's
   * error, or a SubmitError: SUBMIT_BUSY (not appended), SUBMIT_STOPPED and SUBMIT_OVERTAKEN (appended or not).
   */
  submit(entry: E): Promise<R> {
    return this.#submissions.submit(entry);
  }

  #begin(from: number): void {
    this.#collector.clear();
    this.#position = from;
    this.#heldFrom = from;
    this.#heldBack = from === 0 ? null : [];
    this.#schedule.reset();
    if (from === 0) this.#replace(this.#machine.initial(), new Writers());
  }

  #replace(state: S, writers: Writers): void {
    this.#state = state;
    this.#writers = writers;
    this.#digest = null;
  }

  async #read(waitMs: number, signal: AbortSignal | undefined): Promise<ReplicaRead> {
    const read = await this.#port.read(this.#position, waitMs, signal);
    if (read.startOffset > this.#position) this.#begin(read.startOffset);
    for (const { offset, timestamp, value } of read.records) {
      if (offset < this.#position) continue;
      this.#position = offset + 1;
      this.#take(offset, timestamp, value);
    }
    this.#position = Math.max(this.#position, read.nextOffset);
    return read;
  }

  #take(offset: number, timestamp: number, value: Uint8Array): void {
    const record = decodeRecord(value);
    if (record === null) {
      // It takes room, too: whoever else writes here must not fill the log.
      if (this.#heldBack === null) this.#schedule.counted(value.byteLength);
      this.#skip('BROKEN_ENTRY', offset, 'a record that is neither an entry nor a snapshot was skipped');
    } else if ('snapshot' in record) {
      this.#takePart(record, offset);
    } else if (this.#heldBack !== null) {
      this.#heldBack.push({ offset, timestamp, envelope: record });
    } else {
      this.#schedule.counted(value.byteLength);
      this.#apply(offset, timestamp, record);
    }
  }

  #takePart(part: SnapshotPart, offset: number): void {
    if (this.#heldBack === null && !this.#collector.has(part.snapshot)) this.#schedule.begun();
    const usable = this.#heldBack !== null && part.at >= this.#heldFrom;
    const whole = this.#collector.add(part, usable);
    if (whole === null || whole.at > offset) return;
    if (this.#heldBack === null) {
      this.#schedule.written(offset - whole.at, part.of);
    } else if (usable) {
      this.#startFrom(whole, offset, this.#heldBack);
    }
  }

  #startFrom(whole: WholeSnapshot, offset: number, heldBack: readonly Pending[]): void {
    const decoded = this.#decode(whole);
    if (decoded === null) {
      this.#skip(
        'BROKEN_SNAPSHOT',
        offset,
        `the snapshot ${whole.id} cannot be used: an older or a newer one is`,
      );
      return;
    }
    this.#heldBack = null;
    this.#replace(decoded.state, decoded.writers);
    this.#submissions.overtaken();
    for (const { offset: at, timestamp, envelope } of heldBack) {
      if (at < whole.at) continue;
      this.#schedule.counted(0);
      this.#apply(at, timestamp, envelope);
    }
    for (const listener of [...this.#replaced]) listener();
  }

  #decode({ items }: WholeSnapshot): { readonly state: S; readonly writers: Writers } | null {
    const [header] = items;
    if (!isHeader(header) || header.machine !== this.#machine.name) return null;
    const writers = Writers.decode(items.slice(1, 1 + header.writers));
    const state = this.#machine.decodeSnapshot(items.slice(1 + header.writers));
    if (writers === null || state === null || this.#machine.digest(state) !== header.digest) return null;
    return { state, writers };
  }

  /** Entries are missing and no snapshot stands for them: goes on with the last state there was. */
  #goOnWithout(): void {
    const heldBack = this.#heldBack ?? [];
    this.#heldBack = null;
    const message = `the topic begins at offset ${this.#heldFrom} and holds no usable snapshot: what was only in older entries is lost`;
    this.#onIssue({ code: 'ENTRIES_MISSING', offset: this.#heldFrom, message });
    for (const { offset, timestamp, envelope } of heldBack) this.#apply(offset, timestamp, envelope);
    this.#submissions.overtaken();
    for (const listener of [...this.#replaced]) listener();
  }

  #apply(offset: number, timestamp: number, envelope: Envelope): void {
    const own = envelope.node === this.#writer.node && envelope.incarnation === this.#writer.incarnation;
    if (!this.#writers.advance(envelope, envelope.seq)) {
      // Of a repeated append nobody waits any more. Who still waits shares its incarnation with another writer.
      if (own)
        this.#submissions.fail(
          envelope.seq,
          new Error('an entry of this writer and number was there before'),
        );
      return;
    }
    const entry = this.#machine.decode(envelope.entry);
    if (entry === null) {
      this.#skip('BROKEN_ENTRY', offset, `an entry that ${this.#machine.name} does not know was skipped`);
      if (own) this.#submissions.fail(envelope.seq, new Error('the entry submitted is not valid'));
      return;
    }
    const { node, incarnation } = envelope;
    const meta: EntryMeta = { offset, timestamp, writer: { node, incarnation } };
    let result: R;
    try {
      const applied = this.#machine.apply(this.#state, entry, meta);
      this.#state = applied.state;
      result = applied.result;
    } catch (error) {
      this.#skip(
        'ENTRY_FAILED',
        offset,
        `applying an entry failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      if (own) this.#submissions.fail(envelope.seq, error);
      return;
    } finally {
      this.#digest = null;
    }
    if (own) this.#submissions.applied(envelope.seq, result);
    for (const listener of [...this.#applied]) listener(entry, result, meta);
  }

  #skip(code: ReplicaIssue['code'], offset: number, message: string): void {
    this.#skipped += 1;
    this.#onIssue({ code, offset, message });
  }

  #writeSnapshot(): void {
    const at = this.#position;
    this.#schedule.write(at, this.#items(), (error) => {
      const cause = error instanceof Error ? error.message : String(error);
      const message = `a snapshot could not be written and will be later: ${cause}`;
      this.#onIssue({ code: 'SNAPSHOT_NOT_WRITTEN', offset: at, message });
    });
  }

  *#items(): Generator {
    const digest = this.#machine.digest(this.#state);
    yield { machine: this.#machine.name, digest, writers: this.#writers.size };
    yield* this.#writers.items();
    yield* this.#machine.encodeSnapshot(this.#state);
  }
}
