/** The log as other threads see it: every call is an ask to the `log` actor. Batches are transferred, not copied. */
import { setMaxListeners } from 'node:events';
import { ActorError } from '../kernel/errors.js';
import type { AskKind, AskOptions, Ref } from '../kernel/protocol.js';
import { LOG_ERROR_CODES, LogError } from '../../log/log.js';
import { JoinedSignals } from '../../log/joined-signals.js';
import type * as port from '../../log/log.js';
import { ByteBudget } from '../../log/byte-budget.js';
import { EMBEDDED_CAPABILITIES } from '../../log/embedded/capabilities.js';
import * as check from '../../log/checks.js';
import type { StoreFigures } from '../../log/embedded/figures.js';
import { AtOnce } from './at-once.js';
import type { LogProtocol, ReadQuestion } from './protocol.js';
import { SharedWaits } from './shared-waits.js';

export interface LogClientOptions {
  /** Appends on their way, in bytes; more wait. Default 16 MB. */
  readonly maxInFlightBytes?: number;
  /** Reads that wait for records in a message of their own; more wait together. Default 32. */
  readonly maxWaiting?: number;
  /** How long an answer may take, beyond what a read waits. Default 60 s. */
  readonly deadlineMs?: number;
}

type Ask = LogProtocol['ask'];

const MAX_READS = 64;

export class LogClient implements port.Log {
  readonly capabilities: port.LogCapabilities = EMBEDDED_CAPABILITIES;
  readonly #ref: Pick<Ref<LogProtocol>, 'ask'>;
  readonly #deadlineMs: number;
  readonly #budget: ByteBudget;
  readonly #closing = new AbortController();
  readonly #signals = new JoinedSignals(this.#closing.signal);
  readonly #maxWaiting: number;
  #waiting = 0;
  readonly #waits = new SharedWaits((places, waitMs, signal) =>
    this.#ask('awaitRecords', { places, waitMs }, { signal, deadlineMs: waitMs + this.#deadlineMs }),
  );
  /** Those of reads that wait together. */
  readonly #reads = new AtOnce(MAX_READS);

  constructor(ref: Pick<Ref<LogProtocol>, 'ask'>, options: LogClientOptions = {}) {
    this.#ref = ref;
    // One for each read that waits.
    setMaxListeners(0, this.#closing.signal);
    this.#deadlineMs = options.deadlineMs ?? 60_000;
    this.#maxWaiting = options.maxWaiting ?? 32;
    this.#budget = new ByteBudget(options.maxInFlightBytes ?? 16 * 1024 * 1024);
  }

  createTopic(name: string, settings: port.TopicSettings): Promise<port.TopicDescription> {
    return this.#ask('createTopic', { name, settings });
  }

  describeTopic(name: string): Promise<port.TopicDescription | null> {
    return this.#ask('describeTopic', { name });
  }

  listTopics(): Promise<readonly port.TopicDescription[]> {
    return this.#ask('listTopics', null);
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#ask('deleteTopic', { name });
  }

  async append(request: port.AppendRequest): Promise<readonly number[]> {
    this.#checkOpen();
    const bytes = check.checkAppend(request);
    await this.#budget.take(bytes);
    try {
      const transfer = ownBuffers(request.entries);
      const reply = await this.#ask('append', request, { transfer });
      if ('offsets' in reply) return reply.offsets;
      for (const [i, entry] of request.entries.entries())
        entry.batch.bytes = reply.batches[i] ?? entry.batch.bytes;
      throw new LogError(reply.refused.code, reply.refused.message);
    } finally {
      this.#budget.give(bytes);
    }
  }

  /** Few reads wait in the log itself, which answers them soonest; more wait together. */
  async read(request: port.ReadRequest): Promise<port.ReadResult> {
    const { signal, ...question } = request;
    check.checkRead(request);
    signal?.throwIfAborted();
    const either = signal === undefined ? this.#closing.signal : this.#signals.with(signal);
    if (question.waitMs === 0) return this.#readNow(question, either);
    if (this.#waiting >= this.#maxWaiting) return this.#readTogether(question, either);
    this.#waiting += 1;
    try {
      return await this.#readNow(question, either);
    } finally {
      this.#waiting -= 1;
    }
  }

  #readNow(question: ReadQuestion, signal: AbortSignal): Promise<port.ReadResult> {
    return this.#ask('read', question, { signal, deadlineMs: question.waitMs + this.#deadlineMs });
  }

  async #readTogether(question: ReadQuestion, signal: AbortSignal): Promise<port.ReadResult> {
    const until = performance.now() + question.waitMs;
    const { topic, queue } = question;
    let { offset } = question;
    for (;;) {
      const result = await this.#reads.run(() => {
        signal.throwIfAborted();
        return this.#readNow({ ...question, offset, waitMs: 0 }, signal);
      });
      const left = until - performance.now();
      if (result.batches.length > 0 || left <= 0) return result;
      offset = result.nextOffset;
      signal.throwIfAborted();
      const outcome = await this.#waits.wait({ topic, queue, offset }, left, signal);
      if (outcome === 'gone')
        throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic "${topic}": create it first`);
    }
  }

  ranges(topic: string): Promise<readonly port.QueueRange[]> {
    return this.#ask('ranges', { topic });
  }

  async trim(topic: string, queue: number, offset: number): Promise<void> {
    await this.#ask('trim', { topic, queue, offset });
  }

  async fence(fence: port.Fence): Promise<void> {
    await this.#ask('fence', fence);
  }

  async subscribe(group: string, topics: readonly string[]): Promise<void> {
    await this.#ask('subscribe', { group, topics });
  }

  async commitOffsets(group: string, offsets: readonly port.GroupOffset[]): Promise<void> {
    await this.#ask('commitOffsets', { group, offsets });
  }

  committedOffsets(group: string): Promise<readonly port.GroupOffset[]> {
    return this.#ask('committedOffsets', { group });
  }

  listGroups(): Promise<readonly string[]> {
    return this.#ask('listGroups', null);
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#ask('deleteGroup', { group });
  }

  figures(): Promise<StoreFigures> {
    return this.#ask('figures', null);
  }

  /** Ends this client's reads and refuses further calls; the store stays open for others. */
  close(): Promise<void> {
    this.#closing.abort(new LogError('LOG_CLOSED', 'the log is closed'));
    this.#waits.close();
    return Promise.resolve();
  }

  async #ask<K extends AskKind<LogProtocol>>(
    kind: K,
    request: Ask[K]['request'],
    options: Partial<AskOptions> = {},
  ): Promise<Ask[K]['reply']> {
    this.#checkOpen();
    try {
      return await this.#ref.ask(kind, request, { deadlineMs: this.#deadlineMs, ...options });
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      throw toLogError(error);
    }
  }

  #checkOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** The buffers to transfer. A batch that is a part of a larger buffer, or stands twice, is copied first. */
function ownBuffers(entries: readonly port.QueueEntry[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { batch } of entries) {
    const { buffer } = batch.bytes;
    const whole =
      buffer instanceof ArrayBuffer && buffer.byteLength === batch.bytes.byteLength && !buffers.has(buffer);
    const own = whole ? buffer : Uint8Array.from(batch.bytes).buffer;
    if (!whole) batch.bytes = new Uint8Array(own);
    buffers.add(own);
  }
  return [...buffers];
}

function toLogError(error: unknown): LogError {
  if (error instanceof LogError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ActorError)) return new LogError('LOG_IO', message, { cause: error });
  if (error.code === 'REMOTE_ERROR') {
    const code = LOG_ERROR_CODES.find((known) => known === error.remoteCode);
    return new LogError(code ?? 'LOG_IO', message, { cause: error });
  }
  if (error.code === 'UNKNOWN_MESSAGE') return new LogError('LOG_BAD_REQUEST', message, { cause: error });
  return new LogError(
    'LOG_UNAVAILABLE',
    `the log does not answer (${message}). It is being restarted: try again`,
    { cause: error },
  );
}
