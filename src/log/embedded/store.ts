/** The embedded log on lmdb, in the thread that opened it. Other threads reach it through the `log` actor. */
import { LogError } from '../log.js';
import type * as port from '../log.js';
import { EMBEDDED_CAPABILITIES } from './capabilities.js';
import { planAppend } from './append-plan.js';
import { ChangeWatch } from './change-watch.js';
import * as check from '../checks.js';
import { toLogError } from './errors.js';
import { GroupCommit } from './group-commit.js';
import { Housekeeping } from './housekeeping.js';
import type { TopicMeta } from './keys.js';
import { openDatabase } from './open-database.js';
import type { OpenedDatabase } from './open-database.js';
import { REAL_DISK, type Disk } from './disk.js';
import type { StoreFigures } from './figures.js';
import { QueueReader } from './queue-reader.js';
import type { QueuePlace, ReadableQueues } from './queue-reader.js';
import { Room } from './room.js';
import { Staging } from './staging.js';
import { Tables } from './tables.js';

export interface StoreOptions {
  /** Folder of the store; made when it is not there. */
  readonly dir: string;
  /** Appends are refused (LOG_FULL) when the records take nine tenths of it; null: only the disk limits it. */
  readonly maxBytes?: number | null;
  /** Newest batches kept in memory for tailing readers. Default 8 MB. */
  readonly cacheBytes?: number;
  /** How often retention is applied; 0: only by `applyRetention`. Default 60 s. */
  readonly retentionCheckMs?: number;
  /** It was open before, and is not to be begun anew. Default false. */
  readonly mustExist?: boolean;
  /** Address space to map at first, in bytes. It grows by itself. */
  readonly mapSize?: number;
  /** Appends that wait in line to be written. Default 64 MB. */
  readonly maxPendingBytes?: number;
  /** Reads that wait for records. Default 4096. */
  readonly maxParkedReads?: number;
  /** How often to look for commits of other processes where the file system has no events. Default 1 s. */
  readonly changeCheckMs?: number;
  /** False: do not expect file events. Default true. */
  readonly watchFile?: boolean;
  /** A transaction longer than this has hung. Default 60 s. */
  readonly stallMs?: number;
  /** The store cannot go on: close it and open it anew. */
  readonly onFatal?: (error: LogError) => void;
  /** The data file has no name any more: every write is refused until it has it again. Told once each time. */
  readonly onLost?: (error: LogError) => void;
  /** A background step failed; it is tried again at the next retention check. */
  readonly onBackgroundError?: (error: LogError) => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** In place of the real one, for tests. */
  readonly disk?: Disk;
}

const MAX_PENDING_WORK = 20_000;

export class EmbeddedStore implements port.Log {
  readonly capabilities: port.LogCapabilities = EMBEDDED_CAPABILITIES;
  readonly #options: StoreOptions;
  readonly #database: OpenedDatabase;
  readonly #tables: Tables;
  readonly #writer: GroupCommit;
  readonly #reader: QueueReader;
  readonly #watch: ChangeWatch;
  readonly #housekeeping: Housekeeping;
  readonly #clock: () => number;
  #closed = false;

  /** LogError LOG_CORRUPT, LOG_IO or LOG_FULL. */
  static async open(options: StoreOptions): Promise<EmbeddedStore> {
    const database = await openDatabase(options.dir, options);
    try {
      return new EmbeddedStore(options, database);
    } catch (error) {
      await database.close();
      throw toLogError(error, database.dataFile);
    }
  }

  private constructor(options: StoreOptions, database: OpenedDatabase) {
    this.#options = options;
    this.#database = database;
    this.#clock = options.clock ?? Date.now;
    const staging = new Staging(database.data);
    this.#tables = new Tables(staging);
    this.#tables.checkQueues();
    this.#writer = new GroupCommit({
      database,
      staging,
      room: new Room({
        dataFile: database.dataFile,
        disk: options.disk ?? REAL_DISK,
        pages: database.pages,
      }),
      maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
      maxPending: MAX_PENDING_WORK,
      stallMs: options.stallMs ?? 60_000,
      onFatal: (error) => options.onFatal?.(error),
      onLost: (error) => options.onLost?.(error),
    });
    this.#reader = new QueueReader({
      cacheBytes: options.cacheBytes ?? 8 * 1024 * 1024,
      maxParkedReads: options.maxParkedReads ?? 4096,
      look: (at) => this.#read(at),
    });
    this.#watch = new ChangeWatch(
      database.dataFile,
      options.changeCheckMs ?? 1000,
      options.watchFile ?? true,
      () => this.#onExternalChange(),
    );
    this.#housekeeping = new Housekeeping({
      database,
      writer: this.#writer,
      tables: this.#tables,
      look: (at) => this.#read(at),
      clock: this.#clock,
      everyMs: options.retentionCheckMs ?? 60_000,
      onError: (error) => options.onBackgroundError?.(error),
    });
  }

  async createTopic(name: string, settings: port.TopicSettings): Promise<port.TopicDescription> {
    check.checkTopicName(name);
    check.checkSettings(settings);
    const existing = this.#read((tables) => tables.topic(name));
    const meta = existing ?? (await this.#writer.submit(0, () => this.#tables.createTopic(name, settings)));
    return this.#describe(name, meta);
  }

  async describeTopic(name: string): Promise<port.TopicDescription | null> {
    const meta = this.#read((tables) => tables.topic(name));
    return meta === null ? null : this.#describe(name, meta);
  }

  async listTopics(): Promise<readonly port.TopicDescription[]> {
    return this.#read((tables) => tables.topics().map(({ name, meta }) => this.#describe(name, meta)));
  }

  /** The topic is gone when this resolves; its space is freed in the background. */
  async deleteTopic(name: string): Promise<void> {
    const meta = await this.#writer.submit(0, () => this.#tables.deleteTopic(name));
    for (let queue = 0; queue < meta.queues; queue++) this.#reader.wake(meta.id, queue);
    this.#housekeeping.purgeSoon();
  }

  async append(request: port.AppendRequest): Promise<readonly number[]> {
    const bytes = check.checkAppend(request);
    const { maxBytes = null } = this.#options;
    const written = await this.#writer.submit(bytes, () =>
      planAppend(this.#tables, request, { maxBytes, now: this.#clock() }),
    );
    for (const { topicId, queue, base, batch } of written) this.#reader.remember(topicId, queue, base, batch);
    for (const { topicId, queue } of written) this.#reader.wake(topicId, queue);
    return written.map((entry) => entry.base);
  }

  async read(request: port.ReadRequest): Promise<port.ReadResult> {
    check.checkRead(request);
    request.signal?.throwIfAborted();
    return this.#reader.read(request);
  }

  /** For many reads that wait: the log's client makes one message of them. */
  async awaitRecords(
    places: readonly QueuePlace[],
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<ReadableQueues> {
    signal?.throwIfAborted();
    return this.#reader.awaitRecords(places, waitMs, signal);
  }

  async ranges(topic: string): Promise<readonly port.QueueRange[]> {
    return this.#read((tables) => {
      const meta = tables.existing(topic);
      return Array.from({ length: meta.queues }, (_, queue) => {
        const { start, end } = tables.queue(topic, meta, queue);
        return { queue, startOffset: start, endOffset: end };
      });
    });
  }

  async trim(topic: string, queue: number, offset: number): Promise<void> {
    check.checkOffset(offset);
    const meta = this.#read((tables) => tables.existing(topic));
    const step = (): boolean => {
      const { end } = this.#tables.queue(topic, meta, queue);
      if (offset > end)
        throw new LogError(
          'LOG_BAD_REQUEST',
          `cannot trim "${topic}" queue ${queue} to ${offset}: it ends at ${end}`,
        );
      return this.#tables.trimStep(meta.id, queue, offset);
    };
    await this.#writer.submitSteps(step);
  }

  async fence(fence: port.Fence): Promise<void> {
    check.checkFence(fence);
    await this.#writer.submit(0, () => this.#tables.raiseFence(fence));
  }

  async subscribe(group: string, topics: readonly string[]): Promise<void> {
    check.checkSubscription(group, topics);
    const wanted = [...new Set(topics)].sort();
    if (this.#read((tables) => tables.groups.subscribed(group, wanted))) return;
    await this.#writer.submit(0, () => this.#tables.groups.subscribe(group, wanted));
  }

  async commitOffsets(group: string, offsets: readonly port.GroupOffset[]): Promise<void> {
    check.checkCommit(group, offsets);
    if (offsets.length === 0) return;
    await this.#writer.submit(0, () => {
      const targets = offsets.map((entry) => {
        const meta = this.#tables.existing(entry.topic);
        this.#tables.queue(entry.topic, meta, entry.queue);
        return { topicId: meta.id, queue: entry.queue, offset: entry.offset };
      });
      for (const target of targets) this.#tables.groups.commit(group, target);
    });
  }

  async committedOffsets(group: string): Promise<readonly port.GroupOffset[]> {
    check.checkName('group', group);
    return this.#read((tables) => {
      const names = new Map(tables.topics().map(({ name, meta }) => [meta.id, name]));
      return [...tables.groups.committed(group)].flatMap(({ topicId, queue, offset }) => {
        const topic = names.get(topicId);
        return topic === undefined ? [] : [{ topic, queue, offset }];
      });
    });
  }

  async listGroups(): Promise<readonly string[]> {
    return this.#read((tables) => tables.groups.names(new Set(tables.topics().map(({ meta }) => meta.id))));
  }

  async deleteGroup(group: string): Promise<void> {
    check.checkName('group', group);
    await this.#writer.submit(0, () => this.#tables.groups.delete(group), true);
  }

  /** Deletes what retention no longer keeps. Done by a timer too. */
  applyRetention(): Promise<void> {
    return this.#housekeeping.applyRetention();
  }

  figures(): StoreFigures {
    return {
      storedBytes: this.#read((tables) => tables.totalBytes()),
      maxBytes: this.#options.maxBytes ?? null,
      pendingBytes: this.#writer.pendingBytes,
      parkedReads: this.#reader.parked,
      cachedBytes: this.#reader.cachedBytes,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    this.#reader.close(closedError());
    await this.#writer.close();
    await this.#housekeeping.close();
    await this.#database.close();
  }

  // --- Inside. ---

  #onExternalChange(): void {
    if (this.#reader.parked > 0 && this.#writer.takeForeign()) this.#reader.wakeAll();
  }

  #describe(name: string, meta: TopicMeta): port.TopicDescription {
    const { queues, retentionMs, retentionBytes, reserve, life } = meta;
    const id = life ?? `${this.#database.id}/${meta.id}`;
    return { name, queues, retentionMs, retentionBytes, reserve, id };
  }

  #read<T>(look: (tables: Tables) => T): T {
    if (this.#closed) throw closedError();
    try {
      this.#database.data.resetReadTxn();
      return look(this.#tables);
    } catch (error) {
      throw toLogError(error, this.#database.dataFile);
    }
  }
}

function closedError(): LogError {
  return new LogError('LOG_CLOSED', 'the log is closed');
}
