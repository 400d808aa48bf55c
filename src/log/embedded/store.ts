/** The embedded log on lmdb, in the thread that opened it. Other threads reach it through the `log` actor. */
import { LogError } from '../log.js';
import type * as port from '../log.js';
import { ChangeWatch } from './change-watch.js';
import * as check from './checks.js';
import { toLogError } from './errors.js';
import { GroupCommit } from './group-commit.js';
import { spaceOf } from './keys.js';
import type { TopicMeta } from './keys.js';
import { openDatabase } from './open-database.js';
import type { OpenedDatabase } from './open-database.js';
import type { StoreFigures } from './protocol.js';
import { QueueReader } from './queue-reader.js';
import { retentionCuts } from './retention.js';
import { Staging } from './staging.js';
import { Tables, unknownTopic } from './tables.js';

export interface StoreOptions {
  /** Folder of the store; made when it is not there. */
  readonly dir: string;
  /** Appends are refused (LOG_FULL) when the batches take more; null: only the disk limits it. */
  readonly maxBytes?: number | null;
  /** Newest batches kept in memory for tailing readers. Default 8 MB. */
  readonly cacheBytes?: number;
  /** How often retention is applied; 0: only by `applyRetention`. Default 60 s. */
  readonly retentionCheckMs?: number;
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
  /** A background step failed; it is tried again at the next retention check. */
  readonly onBackgroundError?: (error: LogError) => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

interface Appended {
  readonly topicId: number;
  readonly queue: number;
  readonly base: number;
  readonly batch: port.EncodedBatch;
}

const MAX_PENDING_WORK = 20_000;

export class EmbeddedStore implements port.Log {
  readonly capabilities: port.LogCapabilities = { atomicAppend: true, fencing: true, trim: true };
  readonly #options: StoreOptions;
  readonly #database: OpenedDatabase;
  readonly #tables: Tables;
  readonly #writer: GroupCommit;
  readonly #reader: QueueReader;
  readonly #watch: ChangeWatch;
  readonly #retentionTimer: NodeJS.Timeout | null;
  readonly #clock: () => number;
  #background: Promise<void> = Promise.resolve();
  #backgroundWork = 0;
  #closed = false;

  /** LogError LOG_CORRUPT, LOG_IO or LOG_FULL. */
  static async open(options: StoreOptions): Promise<EmbeddedStore> {
    const database = await openDatabase(options.dir, options.mapSize);
    try {
      return new EmbeddedStore(options, database);
    } catch (error) {
      await database.root.close();
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
      maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
      maxPending: MAX_PENDING_WORK,
      stallMs: options.stallMs ?? 60_000,
      onFatal: (error) => options.onFatal?.(error),
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
    const checkMs = options.retentionCheckMs ?? 60_000;
    const tidy = (): void => {
      this.#inBackground(() => this.applyRetention());
    };
    this.#retentionTimer = checkMs > 0 ? setInterval(tidy, checkMs).unref() : null;
    this.#inBackground(() => this.#purgeDropped());
  }

  async createTopic(name: string, settings: port.TopicSettings): Promise<port.TopicDescription> {
    check.checkTopicName(name);
    check.checkSettings(settings);
    const existing = this.#read((tables) => tables.topic(name));
    const meta = existing ?? (await this.#writer.submit(0, () => this.#tables.createTopic(name, settings)));
    return describe(name, meta);
  }

  async describeTopic(name: string): Promise<port.TopicDescription | null> {
    const meta = this.#read((tables) => tables.topic(name));
    return meta === null ? null : describe(name, meta);
  }

  async listTopics(): Promise<readonly port.TopicDescription[]> {
    return this.#read((tables) => tables.topics().map(({ name, meta }) => describe(name, meta)));
  }

  /** The topic is gone when this resolves; its space is freed in the background. */
  async deleteTopic(name: string): Promise<void> {
    const meta = await this.#writer.submit(0, () => this.#tables.deleteTopic(name));
    for (let queue = 0; queue < meta.queues; queue++) this.#reader.wake(meta.id, queue);
    this.#inBackground(() => this.#purgeDropped());
  }

  async append(request: port.AppendRequest): Promise<readonly number[]> {
    const bytes = check.checkAppend(request);
    const written = await this.#writer.submit(bytes, () => this.#planAppend(request));
    for (const { topicId, queue, base, batch } of written) this.#reader.remember(topicId, queue, base, batch);
    for (const { topicId, queue } of written) this.#reader.wake(topicId, queue);
    return written.map((entry) => entry.base);
  }

  async read(request: port.ReadRequest): Promise<port.ReadResult> {
    check.checkRead(request);
    request.signal?.throwIfAborted();
    return this.#reader.read(request);
  }

  async ranges(topic: string): Promise<readonly port.QueueRange[]> {
    return this.#read((tables) => {
      const meta = this.#topic(topic);
      return Array.from({ length: meta.queues }, (_, queue) => {
        const { start, end } = tables.queue(topic, meta, queue);
        return { queue, startOffset: start, endOffset: end };
      });
    });
  }

  async trim(topic: string, queue: number, offset: number): Promise<void> {
    check.checkOffset(offset);
    const meta = this.#read(() => this.#topic(topic));
    const step = (): boolean => {
      const { end } = this.#tables.queue(topic, meta, queue);
      if (offset > end)
        throw new LogError(
          'LOG_BAD_REQUEST',
          `cannot trim "${topic}" queue ${queue} to ${offset}: it ends at ${end}`,
        );
      return this.#tables.trimStep(meta.id, queue, offset);
    };
    while (!(await this.#writer.submit(0, step, true)));
  }

  async fence(fence: port.Fence): Promise<void> {
    check.checkFence(fence);
    await this.#writer.submit(0, () => this.#tables.raiseFence(fence));
  }

  async commitOffsets(group: string, offsets: readonly port.GroupOffset[]): Promise<void> {
    check.checkCommit(group, offsets);
    if (offsets.length === 0) return;
    await this.#writer.submit(0, () => {
      const targets = offsets.map((entry) => {
        const meta = this.#topic(entry.topic);
        this.#tables.queue(entry.topic, meta, entry.queue);
        return { id: meta.id, queue: entry.queue, offset: entry.offset };
      });
      for (const { id, queue, offset } of targets) this.#tables.commitOffset(group, id, queue, offset);
    });
  }

  async committedOffsets(group: string): Promise<readonly port.GroupOffset[]> {
    check.checkName('group', group);
    return this.#read((tables) => tables.committedOffsets(group));
  }

  async listGroups(): Promise<readonly string[]> {
    return this.#read((tables) => tables.groups());
  }

  async deleteGroup(group: string): Promise<void> {
    check.checkName('group', group);
    await this.#writer.submit(0, () => this.#tables.deleteGroup(group), true);
  }

  /** Deletes what retention no longer keeps. Called by a timer too. */
  async applyRetention(): Promise<void> {
    // Slots of killed processes would keep their pages from being reused.
    this.#database.root.readerCheck();
    const cuts = this.#read((tables) => retentionCuts(tables, this.#clock()));
    for (const { topicId, queue, offset } of cuts) {
      while (!(await this.#writer.submit(0, () => this.#tables.trimStep(topicId, queue, offset), true)));
    }
    await this.#purgeDropped();
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
    if (this.#retentionTimer !== null) clearInterval(this.#retentionTimer);
    this.#reader.close(closedError());
    await this.#writer.close();
    await this.#background;
    await this.#database.root.close();
  }

  // --- Inside. ---

  #planAppend(request: port.AppendRequest): Appended[] {
    if (request.fence !== undefined) this.#tables.checkFence(request.fence);
    let space = 0;
    let reserved = true;
    const targets = request.entries.map(({ topic, queue, batch }) => {
      const meta = this.#topic(topic);
      this.#tables.queue(topic, meta, queue);
      space += spaceOf(batch.bytes.byteLength);
      reserved &&= meta.reserve;
      return { meta, queue, batch };
    });
    this.#checkSpace(space, reserved);
    const now = this.#clock();
    return targets.map(({ meta, queue, batch }) => ({
      topicId: meta.id,
      queue,
      base: this.#tables.append(meta.id, queue, batch, now),
      batch,
    }));
  }

  /** Only topics with `reserve` may use the last tenth. */
  #checkSpace(space: number, reserved: boolean): void {
    const { maxBytes } = this.#options;
    if (maxBytes === null || maxBytes === undefined) return;
    const limit = reserved ? maxBytes : Math.floor(maxBytes * 0.9);
    const used = this.#tables.totalBytes();
    if (used + space <= limit) return;
    throw new LogError(
      'LOG_FULL',
      `the log is full: ${used} of ${maxBytes} bytes are used (a tenth is kept for the node's own topics). Raise the log's ` +
        `size limit, shorten the retention of its topics, or start the sinks that have not read them`,
    );
  }

  #onExternalChange(): void {
    if (this.#reader.parked > 0 && this.#writer.takeForeign()) this.#reader.wakeAll();
  }

  async #purgeDropped(): Promise<void> {
    for (const topicId of this.#read((tables) => tables.droppedTopics())) {
      while (!(await this.#writer.submit(0, () => this.#tables.purgeStep(topicId), true)));
    }
  }

  /** One at a time; `close` waits for it. What finds one running and one waiting is left to that one. */
  #inBackground(work: () => Promise<void>): void {
    if (this.#backgroundWork === 2) return;
    this.#backgroundWork++;
    this.#background = this.#background
      .then(work)
      .catch((error: unknown) => {
        const failure = toLogError(error, this.#database.dataFile);
        if (failure.code !== 'LOG_CLOSED') this.#options.onBackgroundError?.(failure);
      })
      .finally(() => {
        this.#backgroundWork--;
      });
  }

  #topic(name: string): TopicMeta {
    const meta = this.#tables.topic(name);
    if (meta === null) throw unknownTopic(name);
    return meta;
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

function describe(name: string, meta: TopicMeta): port.TopicDescription {
  const { queues, retentionMs, retentionBytes, reserve } = meta;
  return { name, queues, retentionMs, retentionBytes, reserve };
}

function closedError(): LogError {
  return new LogError('LOG_CLOSED', 'the log is closed');
}
