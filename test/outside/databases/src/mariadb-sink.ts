/** A sink that upserts records into tables, with its offsets in the same transaction: each record counts once. */
import { type Connection } from 'mysql2/promise';
import {
  DataError,
  RetriableError,
  within,
  type ConfigIssue,
  type ParsedConfig,
  type Plugin,
  type QueueRef,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@troupe/sdk';
import { asConnectError, connect, CONNECTION } from './mariadb-connection.js';
import { OffsetsTable, type Move, type StoredOffset } from './mariadb-offsets.js';
import { apply, operationOf, Tables, type Operation } from './mariadb-operations.js';

/** A guard against a server that never answers. */
const CALL_MS = 60_000;

interface Queue extends QueueRef {
  readonly topicId: string | null;
  stored: StoredOffset | null;
  /** Of the next record that was not taken yet. */
  next: number;
}

/** Fields with a `!` are set in `start`, which comes before all other calls. */
class MariaDbUpsertTask implements SinkTask {
  #context!: SinkTaskContext;
  #config!: ParsedConfig;
  #offsets!: OffsetsTable;
  #key = '';
  #batch = 0;
  readonly #queues = new Map<string, Queue>();
  #tables = new Tables();
  #connection: Connection | null = null;
  /** Taken and not written: fewer than a batch, and the records of one `put`. */
  #operations: Operation[] = [];

  async start(context: SinkTaskContext, config: ParsedConfig): Promise<void> {
    this.#context = context;
    this.#config = config;
    this.#key = config.string('key.column');
    this.#batch = config.int('batch.rows');
    this.#offsets = new OffsetsTable(config.string('offsets.table'), context.connectorName);
    await this.#connected((connection) => this.#offsets.create(connection));
  }

  async open(queues: readonly QueueRef[]): Promise<void> {
    await this.#connected(async (connection) => {
      for (const { topic, queue } of queues) {
        const topicId = this.#context.topicId(topic);
        const stored = await this.#offsets.read(connection, { topic, queue });
        // What is stored of another life of the topic says nothing of this one.
        const next = stored !== null && stored.topicId === topicId ? stored.offset : 0;
        this.#queues.set(nameOf(topic, queue), { topic, queue, topicId, stored, next });
        this.#context.seek([{ topic, queue, offset: next }]);
      }
    });
  }

  /** After a RetriableError the same records come again: those that were taken are passed over. */
  async put(records: readonly SinkRecord[]): Promise<void> {
    for (const record of records) {
      const queue = this.#queues.get(nameOf(record.originalTopic, record.originalQueue));
      if (queue === undefined) throw new Error(`${record.originalTopic} was not opened`);
      if (record.originalOffset < queue.next) continue;
      try {
        this.#operations.push(operationOf(record, this.#key));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        await this.#context.report(record, error);
      }
      queue.next = record.originalOffset + 1;
      if (this.#operations.length >= this.#batch) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const moved = [...this.#queues.values()].filter(
      ({ stored, topicId, next }) => next > (stored?.topicId === topicId ? (stored?.offset ?? 0) : 0),
    );
    if (moved.length === 0) return;
    await this.#connected((connection) => this.#write(connection, moved));
  }

  async #write(connection: Connection, moved: readonly Queue[]): Promise<void> {
    const moves: Move[] = moved.map(({ topic, queue, topicId, stored, next }) => ({
      topic,
      queue,
      from: stored,
      to: { offset: next, topicId },
    }));
    await this.#tables.prepare(connection, this.#operations);
    try {
      await this.#commit(connection, moves, () =>
        apply(connection, this.#tables, this.#operations, this.#key),
      );
    } catch (error) {
      if (!(asConnectError(error) instanceof DataError)) throw error;
      await this.#commit(connection, moves, () => this.#applyEach(connection));
    }
    this.#operations = [];
    moved.forEach((queue, i) => (queue.stored = moves[i]?.to ?? null));
  }

  async #commit(connection: Connection, moves: readonly Move[], rows: () => Promise<void>): Promise<void> {
    await connection.beginTransaction();
    try {
      if (await this.#offsets.move(connection, moves)) {
        await rows();
        await connection.commit();
        return;
      }
    } catch (error) {
      await connection.rollback();
      throw error;
    }
    await connection.rollback();
    if (!(await this.#offsets.areAt(connection, moves)))
      throw new Error('another task has written these queues: this one starts again from what is stored');
  }

  /** Something in the batch is bad: row by row it is seen what. A statement that fails leaves nothing. */
  async #applyEach(connection: Connection): Promise<void> {
    for (const operation of this.#operations) {
      try {
        await apply(connection, this.#tables, [operation], this.#key);
      } catch (cause) {
        const error = asConnectError(cause);
        if (!(error instanceof DataError)) throw cause;
        // Before the commit, so that none is passed over unseen.
        await this.#context.report(operation.record, error);
      }
    }
  }

  /** After an error nobody knows what the connection still has to say: the next call makes another one. */
  async #connected(work: (connection: Connection) => Promise<void>): Promise<void> {
    try {
      this.#connection ??= await this.#connect();
      await this.#untilStopped(work(this.#connection));
    } catch (error) {
      this.#connection?.destroy();
      this.#connection = null;
      this.#tables = new Tables();
      throw asConnectError(error);
    }
  }

  async #connect(): Promise<Connection> {
    const connecting = connect(this.#config);
    try {
      return await this.#untilStopped(connecting);
    } catch (error) {
      void connecting.then((late) => late.destroy()).catch(() => undefined);
      throw error;
    }
  }

  /** A call under way ends with the task's signal. The flush at the end begins after it. */
  async #untilStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#context;
    const stays = signal.aborted ? new AbortController().signal : signal;
    return within(CALL_MS, stays, (ended) => Promise.race([work, rejectedBy(ended)]));
  }

  close(queues: readonly QueueRef[]): void {
    for (const { topic, queue } of queues) this.#queues.delete(nameOf(topic, queue));
  }

  stop(): void {
    this.#connection?.destroy();
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new RetriableError('the call was ended', { cause: signal.reason }));
    });
  });
}

function nameOf(topic: string, queue: number): string {
  return `${topic}/${queue}`;
}

const connector: SinkConnector = {
  kind: 'sink',
  version: '1.0.0',
  config: [
    ...CONNECTION,
    {
      name: 'key.column',
      type: 'STRING',
      importance: 'MEDIUM',
      defaultValue: 'id',
      documentation: 'The column that keys of records go to: the primary key of tables that it makes.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
    {
      name: 'offsets.table',
      type: 'STRING',
      importance: 'LOW',
      defaultValue: 'troupe_offsets',
      documentation: 'Where the offsets stand. It is made if it is not there.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
    {
      name: 'batch.rows',
      type: 'INT',
      importance: 'LOW',
      defaultValue: '2000',
      min: 1,
      max: 100_000,
      documentation: 'From how many records on they are written, without waiting for the next flush.',
    },
  ],
  async connect(_context, config): Promise<readonly ConfigIssue[]> {
    (await connect(config)).destroy();
    return [];
  },
  taskConfigs: (_context, _config, raw, maxTasks) => Array.from({ length: maxTasks }, () => raw),
  createTask: () => new MariaDbUpsertTask(),
};

const plugin: Plugin = { type: 'sink', plugin: connector };
export default plugin;
