/** Receives ahead: several calls at once, since each brings 32 messages at most; bounded in messages and bytes. */
import type { MessageQueue } from 'rocketmq-client-nodejs';
import { nextDelayMs, type Backoff } from '../../../core/backoff.js';
import { LogError } from '../../log.js';
import { pause, waitFor } from '../remoting/deadlines.js';
import { mayPass } from './errors.js';
import { HeldDelivery } from './held-deliveries.js';
import { MAX_MESSAGES, type PopClient } from './pop-client.js';
import type { PopMessage } from './pop-reply.js';

export interface Received {
  readonly topic: string;
  readonly message: PopMessage;
  readonly delivery: HeldDelivery;
}

export interface ReceiverOptions {
  readonly client: Pick<PopClient, 'brokers' | 'pop'>;
  readonly topics: readonly string[];
  readonly invisibleMs: number;
  readonly onReceived: (received: readonly Received[]) => void;
  /** Called before anything is received from a broker that is met for the first time. */
  readonly prepare: () => Promise<void>;
  /** Says for certain whether a topic is gone; rejects while that is unknown. */
  readonly isGone: (topic: string) => Promise<boolean>;
  /** What cannot be mended by trying again. */
  readonly onFailure: (error: unknown) => void;
  readonly onIssue: (message: string, error: unknown) => void;
}

/** What one broker has of one topic. */
interface Source {
  readonly topic: string;
  queue: MessageQueue;
  /** Calls that are worth making at once: more while each comes back full. */
  wanted: number;
  running: number;
  failures: number;
  /** Of a message, on average. */
  bytes: number;
}

const MAX_BUFFERED = 1024;
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** What one call may bring, as far as that can be told from those before. */
const CALL_BYTES = 1024 * 1024;
/** Beyond the one of each source. */
const MAX_MORE_CALLS = 8;
const PAUSES: Backoff = { minMs: 100, maxMs: 5000, jitter: 0.5 };
const ROUTE_MS = 30_000;
/** A topic counts as there while nobody says that it is gone. */
const GONE_MS = 20_000;

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #sources = new Map<string, Source>();
  readonly #calls = new Set<Promise<void>>();
  #buffer: Received[] = [];
  #bufferedBytes = 0;
  #moreCalls = 0;
  /** Aborted: no more calls are made. */
  #suspended: AbortController | null = null;
  /** With an error that cannot be mended: no more calls are made at all. */
  #failed = false;
  #routesReadAt = -Infinity;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  /** Finds the brokers; a topic or a broker that came later is found by `resume`. */
  async readRoutes(): Promise<void> {
    this.#routesReadAt = performance.now();
    const found = new Map<string, Source>();
    for (const topic of this.#options.topics) {
      for (const queue of await this.#options.client.brokers(topic)) {
        const key = `${topic}\n${queue.broker.name}`;
        const known = this.#sources.get(key);
        if (known === undefined)
          found.set(key, { topic, queue, wanted: 1, running: 0, failures: 0, bytes: 0 });
        else known.queue = queue;
      }
    }
    if (found.size === 0) return;
    await this.#options.prepare();
    for (const [key, source] of found) this.#sources.set(key, source);
  }

  resume(): void {
    this.#suspended ??= new AbortController();
    if (performance.now() - this.#routesReadAt > ROUTE_MS)
      this.readRoutes().catch((error: unknown) => {
        this.#options.onIssue('the brokers of the topics could not be looked up', error);
      });
    this.#fill();
  }

  /** The oldest, of one topic. */
  take(max: number): readonly Received[] {
    const topic = this.#buffer[0]?.topic;
    let count = 0;
    while (count < max && this.#buffer[count]?.topic === topic && count < this.#buffer.length) count += 1;
    const taken = this.#buffer.splice(0, count);
    for (const { message } of taken) this.#bufferedBytes -= sizeOf(message);
    this.#fill();
    return taken;
  }

  /** What was taken last, and was too much. */
  putBack(received: readonly Received[]): void {
    this.#buffer.unshift(...received);
    for (const { message } of received) this.#bufferedBytes += sizeOf(message);
  }

  /** Answers what nobody took. Waits for the calls under way: what they bring would be lost for a while. */
  async suspend(): Promise<readonly Received[]> {
    this.#suspended?.abort();
    this.#suspended = null;
    await Promise.all(this.#calls);
    const left = this.#buffer;
    this.#buffer = [];
    this.#bufferedBytes = 0;
    return left;
  }

  #fill(): void {
    const active = this.#suspended;
    if (active === null || this.#failed) return;
    for (const source of this.#sources.values()) {
      while (this.#mayCall(source)) {
        const isMore = source.running > 0;
        source.running += 1;
        if (isMore) this.#moreCalls += 1;
        const call = this.#call(source, active.signal).finally(() => {
          source.running -= 1;
          if (isMore) this.#moreCalls -= 1;
          this.#calls.delete(call);
          this.#fill();
        });
        this.#calls.add(call);
      }
    }
  }

  #mayCall(source: Source): boolean {
    if (source.running >= source.wanted) return false;
    if (this.#buffer.length >= MAX_BUFFERED || this.#bufferedBytes >= MAX_BUFFERED_BYTES) return false;
    return source.running === 0 || this.#moreCalls < MAX_MORE_CALLS;
  }

  async #call(source: Source, signal: AbortSignal): Promise<void> {
    const { client, invisibleMs, onIssue, onFailure } = this.#options;
    const max = Math.max(1, Math.min(MAX_MESSAGES, Math.floor(CALL_BYTES / Math.max(1, source.bytes))));
    try {
      const messages = await client.pop(source.queue, max, invisibleMs);
      source.failures = 0;
      if (messages.length === 0) source.wanted = 1;
      else if (messages.length >= max) source.wanted = Math.min(source.wanted + 1, MAX_MORE_CALLS);
      this.#add(source, messages);
    } catch (error) {
      if (await this.#isFinal(source, error, signal)) {
        this.#failed = true;
        onFailure(error);
        return;
      }
      source.wanted = 1;
      source.failures += 1;
      if (source.failures === 1) onIssue('will try again to receive', error);
      await pause(nextDelayMs(PAUSES, source.failures, Math.random()), [signal]).catch(() => undefined);
    }
  }

  async #isFinal({ topic }: Source, error: unknown, signal: AbortSignal): Promise<boolean> {
    if (!mayPass(error)) return true;
    if (!(error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC')) return false;
    try {
      return (await waitFor(this.#options.isGone(topic), GONE_MS, [signal]))?.value === true;
    } catch {
      return false;
    }
  }

  #add(source: Source, messages: readonly PopMessage[]): void {
    const expiresAt = performance.now() + this.#options.invisibleMs;
    const received = messages.map((message) => toReceived(source, message, expiresAt));
    for (const { message } of received) {
      const bytes = sizeOf(message);
      this.#bufferedBytes += bytes;
      source.bytes = source.bytes === 0 ? bytes : source.bytes * 0.9 + bytes * 0.1;
    }
    this.#buffer.push(...received);
    if (received.length > 0) this.#options.onReceived(received);
  }
}

function toReceived({ topic, queue }: Source, message: PopMessage, expiresAt: number): Received {
  const { queueId, queueOffset, deliveryAttempt, messageId, receiptHandle } = message;
  const at = { queue: queueId, offset: queueOffset, attempt: Math.max(1, deliveryAttempt) };
  const receipt = { topic, endpoints: queue.broker.endpoints, messageId, handle: receiptHandle };
  return { topic, message, delivery: new HeldDelivery(at, receipt, expiresAt) };
}

function sizeOf({ body }: PopMessage): number {
  return body.length + 256;
}
