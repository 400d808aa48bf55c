/** One read of a queue, made of as many pulls as it takes. */
import { LogError, type ReadResult } from '../log.js';
import { decodeMessages } from './message.js';
import { RecordCollector, type CollectorLimits } from './record-collector.js';
import type { PullResult } from './remoting/client.js';

export interface QueueReadOptions extends CollectorLimits {
  /** As in "topic t, queue 0". */
  readonly queue: string;
  readonly offset: number;
  readonly waitMs: number;
  readonly pull: (offset: number, waitMs: number) => Promise<PullResult>;
}

/**
 * A broker answers at most 32 messages at a time, unless it is set otherwise: asked for one answer after the other
 * they would take their time, so some are asked for at once, by the size of the last answer.
 */
const PULLS_AT_ONCE = 8;
export async function readQueue(options: QueueReadOptions): Promise<ReadResult> {
  return new QueueRead(options).run();
}

class QueueRead {
  readonly #options: QueueReadOptions;
  readonly #collector: RecordCollector;
  #startOffset = 0;
  #endOffset = 0;
  /** Of the last answer. */
  #messages = 0;
  #bytes = 0;
  /** The next message is one that cannot be read: the next read says so. */
  #blocked = false;

  constructor(options: QueueReadOptions) {
    this.#options = options;
    this.#collector = new RecordCollector(options.offset, options);
  }

  async run(): Promise<ReadResult> {
    await this.#first();
    while (this.#collector.records > 0 && !this.#isDone) await this.#further();
    return {
      batches: this.#collector.finish(),
      nextOffset: this.#collector.next,
      startOffset: this.#startOffset,
      endOffset: Math.max(this.#endOffset, this.#collector.next),
    };
  }

  get #isDone(): boolean {
    return this.#blocked || this.#collector.full || this.#collector.next >= this.#endOffset;
  }

  /** Until there are records, or the time is over. */
  async #first(): Promise<void> {
    const { pull, waitMs } = this.#options;
    const waitUntil = performance.now() + waitMs;
    for (;;) {
      const from = this.#collector.next;
      const leftMs = Math.max(0, waitUntil - performance.now());
      const pulled = await pull(from, leftMs);
      this.#take(from, pulled);
      if (this.#collector.records > 0) return;
      if (pulled.status === 'NO_NEW' && performance.now() >= waitUntil) return;
    }
  }

  async #further(): Promise<void> {
    const { pull, maxBytes, maxRecords } = this.#options;
    const collector = this.#collector;
    const messages = Math.min(this.#endOffset - collector.next, maxRecords - collector.records);
    const answers = Math.min(messages / this.#messages, (maxBytes - collector.bytes) / this.#bytes);
    const count = Math.max(1, Math.min(PULLS_AT_ONCE, Math.ceil(answers)));
    const offsets = Array.from({ length: count }, (_, i) => collector.next + i * this.#messages);
    const pulls = await Promise.all(offsets.map(async (offset) => [offset, await pull(offset, 0)] as const));
    for (const [offset, pulled] of pulls) {
      // The one before was shorter than expected, or there is enough.
      if (offset !== collector.next || this.#blocked || collector.full) return;
      this.#take(offset, pulled);
    }
  }

  #take(from: number, pulled: PullResult): void {
    const { status, body, nextOffset, minOffset, maxOffset } = pulled;
    if (from > maxOffset) throw this.#beyondEnd(from, maxOffset);
    const collector = this.#collector;
    if (status === 'FOUND') this.#collect(body);
    // To the end of what was found, or over what retention deleted.
    if (!this.#blocked) collector.skipTo(Math.max(minOffset, nextOffset));
    if (status !== 'NO_NEW' && collector.next === from && !collector.full && !this.#blocked)
      throw this.#stuck(from);
    this.#startOffset = minOffset;
    this.#endOffset = status === 'NO_NEW' ? collector.next : maxOffset;
    this.#messages = Math.max(1, nextOffset - from);
    this.#bytes = Math.max(1, body.length);
  }

  #collect(body: Buffer): void {
    try {
      this.#collector.add(decodeMessages(body));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (this.#collector.records === 0) throw this.#unreadable(error);
      this.#blocked = true;
    }
  }

  #unreadable({ code, message }: LogError): LogError {
    return new LogError(
      code,
      `cannot read ${this.#options.queue} from ${this.#collector.next} on: ${message}`,
    );
  }

  #beyondEnd(offset: number, end: number): LogError {
    return new LogError(
      'LOG_BAD_REQUEST',
      `offset ${offset} lies beyond the end (${end}) of ${this.#options.queue}. Where it was committed, the broker has lost records since, or the topic was deleted and made anew: reset the offset`,
    );
  }

  #stuck(offset: number): LogError {
    return new LogError(
      'LOG_UNAVAILABLE',
      `the broker has something in ${this.#options.queue} at offset ${offset}, but does not send it. Try again; if it stays so, look at the log of the broker`,
    );
  }
}
