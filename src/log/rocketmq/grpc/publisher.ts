/** Publishes the entries of topics with one queue through the proxy, in order. */
import { nextDelayMs, type Backoff } from '../../../core/backoff.js';
import { LogError } from '../../log.js';
import { pause } from '../remoting/deadlines.js';
import { toLogError } from './errors.js';
import type { ProducerClient } from './producer-client.js';
import type { ProxySettings } from './proxy-client.js';

export interface PublisherOptions {
  readonly settings: ProxySettings;
  /** How long an append is tried again while the proxy or a broker is away, or the topic is not known yet. */
  readonly deadlineMs?: number;
  /** What failed and is tried again: for a log line. */
  readonly onIssue?: (message: string, error: unknown) => void;
  readonly onDebug?: (line: string) => void;
}

const PAUSES: Backoff = { minMs: 50, maxMs: 3000, jitter: 0.5 };
const MAX_REQUEST_BYTES = 1024 * 1024;
const MAX_REQUEST_MESSAGES = 1000;
/** A message in a batch takes that much besides its body, about. */
const MESSAGE_BYTES = 256;
const MAX_WAITING = 1000;

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #deadlineMs: number;
  readonly #closing = new AbortController();
  #client: Promise<ProducerClient> | null = null;
  /** The last append of each topic. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #waiting = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 60_000;
  }

  /**
   * The offset of the first value, once all are as durable as the broker is set to make them. Appends to one topic
   * follow each other. A request of unknown outcome is sent again, so a value may stand twice in the topic.
   */
  async append(topic: string, values: readonly Uint8Array[]): Promise<number> {
    this.#closing.signal.throwIfAborted();
    if (this.#waiting >= MAX_WAITING)
      throw new LogError('LOG_UNAVAILABLE', `${MAX_WAITING} appends wait for the proxy: try again later`);
    this.#waiting += 1;
    const before = this.#turns.get(topic);
    const turn = Promise.resolve(before).then(() => this.#append(topic, values));
    const settled = turn.catch(() => undefined);
    this.#turns.set(topic, settled);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
      if (this.#turns.get(topic) === settled) this.#turns.delete(topic);
    }
  }

  /** Appends that wait are refused; the requests that are under way are waited for. */
  async close(): Promise<void> {
    this.#closing.abort(new LogError('LOG_CLOSED', 'the publisher is closed'));
    await Promise.all(this.#turns.values());
    await (await this.#client?.catch(() => null))?.close();
  }

  async #append(topic: string, values: readonly Uint8Array[]): Promise<number> {
    const requests = this.#requests(topic, values);
    const deadline = performance.now() + this.#deadlineMs;
    let first: number | null = null;
    for (const request of requests) {
      const offset = await this.#send(topic, request, deadline);
      first ??= offset;
    }
    if (first === null) throw new LogError('LOG_BAD_REQUEST', 'an append must hold at least one value');
    return first;
  }

  async #send(topic: string, values: readonly Uint8Array[], deadline: number): Promise<number> {
    const { signal } = this.#closing;
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await (await this.#open()).send(topic, values);
      } catch (error) {
        const failure = toLogError(`publish to topic ${topic}`, error);
        const pauseMs = nextDelayMs(PAUSES, failures, Math.random());
        // The proxy remembers for some seconds that a topic was not there.
        const again = failure.retriable || failure.code === 'LOG_UNKNOWN_TOPIC';
        if (!again || performance.now() + pauseMs > deadline) throw failure;
        if (failures === 1) this.#options.onIssue?.('will try again to publish', failure);
        await pause(pauseMs, [signal]);
      }
    }
  }

  #open(): Promise<ProducerClient> {
    this.#client ??= load(this.#options).catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  #requests(topic: string, values: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
    const { maxMessageBytes } = this.#options.settings;
    const requests: Uint8Array[][] = [];
    let open: Uint8Array[] = [];
    let bytes = 0;
    for (const value of values) {
      const size = value.byteLength + MESSAGE_BYTES;
      if (size > maxMessageBytes || value.byteLength === 0)
        throw badValue(topic, value.byteLength, maxMessageBytes);
      const full =
        open.length >= MAX_REQUEST_MESSAGES || bytes + size > Math.min(MAX_REQUEST_BYTES, maxMessageBytes);
      if (open.length === 0 || full) {
        open = [];
        bytes = 0;
        requests.push(open);
      }
      open.push(value);
      bytes += size;
    }
    return requests;
  }
}

async function load({ settings, onDebug }: PublisherOptions): Promise<ProducerClient> {
  const { ProducerClient: Client } = await import('./producer-client.js');
  const client = new Client({ settings, onDebug });
  await client.startup();
  return client;
}

function badValue(topic: string, bytes: number, maxBytes: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `a value of ${bytes} bytes cannot be published to topic ${topic}: 1 to about ${maxBytes} (rocketmq.max.message.bytes, and maxMessageSize of the broker)`,
  );
}
