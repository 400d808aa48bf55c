import type { RecordHeader } from '../../../log/batch.js';
import { BatchReader } from '../../../log/batch.js';
import { LogError, NO_MARK, type Log, type QueueEntry } from '../../../log/log.js';
import { escapedHeaders, readTransaction } from '../../../log/transaction-mark.js';
import { ConnectError, DataError } from '../../../sdk/errors.js';
import type { QueueOffset } from '../../../sdk/plugin.js';
import { OpenBatches } from '../source/open-batches.js';
import type { DeadLetterTopic } from './dead-letter-topic.js';
import {
  letterHeaders,
  withoutLetterHeaders,
  type BadRecord,
  type DeadLetters,
  type Letter,
  type LetterContext,
  type RawRecord,
} from './letter.js';

/** Made once for each try: the log may take their bytes away. */
export type LetterEntries = () => readonly QueueEntry[];

export interface SinkLettersOptions {
  readonly log: Pick<Log, 'read' | 'capabilities'>;
  readonly topic: DeadLetterTopic;
  readonly context: LetterContext;
  /** Resolves when they are durable. */
  readonly append: (entries: LetterEntries) => Promise<void>;
  /** There are many: they should be passed soon. */
  readonly onMany: () => void;
  /** Before each. */
  readonly onLetter: () => void;
}

/** Held in memory until the next commit, about. */
const MANY_BYTES = 1 << 20;
const MOST_BYTES = 8 << 20;
const LETTER_BYTES = 100;

/**
 * The dead letters of a sink's task: its bad records as they stand in the log. They are kept until the offsets that pass them
 * are committed, and go into the log with these, before them; what is more than memory allows goes before.
 */
export class SinkLetters implements DeadLetters {
  readonly #options: SinkLettersOptions;
  /** Never holds any. */
  readonly #sizes: OpenBatches;
  #pending: Letter[] = [];
  /** On their way into the log. */
  #taken: readonly Letter[] = [];
  #bytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SinkLettersOptions) {
    this.#options = options;
    this.#sizes = new OpenBatches(options.log.capabilities.maxRecordBytes, null);
  }

  /** Whether there are some that are not durable. */
  get waiting(): boolean {
    return this.#pending.length > 0;
  }

  async add({ error, place, raw }: BadRecord): Promise<void> {
    if (!isQueueOffset(place)) throw new TypeError('a bad record of a sink stands in a queue');
    this.#options.onLetter();
    const { topic, queue, offset } = place;
    const letter = this.#letter({ topic, queue, offset }, raw ?? (await this.#read(place)), error);
    this.#pending.push(letter);
    this.#bytes += sizeOf(letter);
    if (this.#bytes >= MOST_BYTES) await this.safe();
    else if (this.#bytes >= MANY_BYTES) this.#options.onMany();
  }

  /** Resolves when all that were added are durable. */
  safe(): Promise<void> {
    return this.pass(async (entries) => {
      if (this.#taken.length > 0) await this.#options.append(entries);
    });
  }

  /** Gives all that wait to `append`, which appends them before what passes them. They wait on where that fails. */
  pass(append: (entries: LetterEntries) => Promise<void>): Promise<void> {
    const turn = this.#turn.then(async () => {
      const taken = this.#pending;
      this.#taken = taken;
      this.#pending = [];
      this.#bytes = 0;
      try {
        await append(() => this.#entries(taken));
      } catch (error) {
        this.#pending = [...taken, ...this.#pending];
        this.#bytes = this.#pending.reduce((sum, letter) => sum + sizeOf(letter), 0);
        throw error;
      } finally {
        this.#taken = [];
      }
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #entries(letters: readonly Letter[]): readonly QueueEntry[] {
    const { log, topic } = this.#options;
    const open = new OpenBatches(log.capabilities.maxRecordBytes, null);
    for (const { key, value, timestamp, headers } of letters)
      open.add(topic.name, topic.queueOf(key), key, value, timestamp, headers, NO_MARK);
    return open.take().entries;
  }

  #letter(at: QueueOffset, { batch, index }: RawRecord, error: unknown): Letter {
    const { context, topic } = this.#options;
    const own = withoutLetterHeaders(escapedHeaders(readTransaction(batch.headers(index)).headers));
    const letter = {
      // A batch is large, and is not to stay in memory for one of its records.
      key: copied(batch.key(index)),
      value: copied(batch.value(index)),
      timestamp: batch.timestamp(index),
      headers: own.map(([name, value]): RecordHeader => [name, Buffer.from(value)]),
    };
    for (const withContext of [context.withContext, false]) {
      const headers = [...letter.headers, ...letterHeaders({ ...context, withContext }, at, error)];
      try {
        this.#sizes.check(topic.name, letter.key, letter.value, letter.timestamp, headers);
        return { ...letter, headers };
      } catch (refused) {
        if (!(refused instanceof DataError)) throw refused;
      }
    }
    // It stands in the log, so it is not larger than the log takes without a word of ours.
    return letter;
  }

  /** What a plugin reports may have been read long ago. */
  async #read({ topic, queue, offset }: QueueOffset): Promise<RawRecord> {
    const { log } = this.#options;
    const { batches } = await log.read({ topic, queue, offset, maxBytes: 1, maxRecords: 1, waitMs: 0 });
    const [first] = batches;
    const index = first === undefined ? -1 : offset - first.baseOffset;
    if (first === undefined || index < 0 || index >= first.batch.count)
      throw new ConnectError(
        `the connector reports a bad record at ${topic}/${queue}, offset ${offset}, which is no longer in the log: it cannot go to the dead-letter queue`,
        { code: 'DEAD_LETTER_LOST' },
      );
    return { batch: BatchReader.open(first.batch.bytes), index };
  }
}

/** Appends for as long as the log is away, busy or full. `wait` rejects when the task must stop instead. */
export async function appendLetters(
  log: Pick<Log, 'append'>,
  entries: LetterEntries,
  wait: (error: LogError, attempt: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await log.append({ entries: entries() });
      return;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      await wait(error, attempt);
    }
  }
}

function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Buffer.from(bytes);
}

function sizeOf({ key, value, headers }: Letter): number {
  const sizes = headers.map(([name, data]) => name.length + data.length);
  return sizes.reduce((sum, size) => sum + size, LETTER_BYTES + (key?.length ?? 0) + (value?.length ?? 0));
}

function isQueueOffset(place: object): place is QueueOffset {
  const { topic, queue, offset } = place as Partial<QueueOffset>;
  return typeof topic === 'string' && typeof queue === 'number' && typeof offset === 'number';
}
