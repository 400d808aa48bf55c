/** Members of a group share its topics record by record: RocketMQ's POP, through the proxy. Loads gRPC. */
import { nextDelayMs, type Backoff } from '../../../core/backoff.js';
import { BatchBuilder } from '../../batch.js';
import type { Delivery, SharedBatch, SharedConsumer } from '../../shared.js';
import { toRocketMqGroup } from '../group-names.js';
import { remotingClient } from '../client.js';
import type { RemotingClient } from '../remoting/client.js';
import { pause } from '../remoting/deadlines.js';
import { checkRocketMqTopic } from '../topic-names.js';
import { mayPass } from './errors.js';
import { Held, HeldDelivery } from './held-deliveries.js';
import { inParallel } from './parallel.js';
import { PopClient, type Receipt } from './pop-client.js';
import { addPopMessage } from './pop-message.js';
import type { ProxySettings } from './proxy-client.js';
import { Receiver, type Received } from './receiver.js';
import { prepareGroup } from './shared-group.js';

export interface SharedConsumerOptions {
  readonly settings: ProxySettings;
  readonly group: string;
  readonly topics: readonly string[];
  readonly maxAttempts: number;
  /** Others get what a member that died had so long after it died. Not less than 10 s, which the proxy refuses. */
  readonly invisibleMs?: number;
  readonly onIssue?: (message: string, error: unknown) => void;
  readonly onDebug?: (line: string) => void;
}

const INVISIBLE_MS = 30_000;
const START_MS = 30_000;
const ACK_MS = 10_000;
/** Messages of one call. */
const ACK_MESSAGES = 500;
const PARALLEL_ACKS = 4;
/** What was not looked at comes to others soon. */
const GIVE_BACK_MS = 1000;
const PAUSES: Backoff = { minMs: 100, maxMs: 2000, jitter: 0.5 };

/** Resolves when it can receive. The topics must exist. */
export async function openSharedConsumer(options: SharedConsumerOptions): Promise<SharedConsumer> {
  for (const topic of options.topics) checkRocketMqTopic(topic);
  const group = toRocketMqGroup(options.group);
  const remoting = remotingClient(options.settings, (message) => {
    options.onIssue?.(message, null);
  });
  const client = new PopClient({ ...options, group });
  const prepare = (): Promise<void> => prepareGroup(remoting, { ...options, group });
  const consumer = new PopConsumer({ ...options, client, remoting, prepare });
  try {
    // The proxy looks at the group when it is greeted.
    await prepare();
    await client.startup();
    await consumer.start();
  } catch (error) {
    await consumer.close();
    throw error;
  }
  return consumer;
}

/** Tests have their own. */
type Client = Pick<PopClient, 'brokers' | 'greeted' | 'pop' | 'ack' | 'changeInvisible' | 'close'>;
type Remoting = Pick<RemotingClient, 'queues' | 'close'>;

export interface PopConsumerOptions extends Pick<
  SharedConsumerOptions,
  'topics' | 'invisibleMs' | 'onIssue'
> {
  readonly client: Client;
  readonly remoting: Remoting;
  /** Of the group, on all brokers that there are now. */
  readonly prepare: () => Promise<void>;
}

export class PopConsumer implements SharedConsumer {
  readonly #client: Client;
  readonly #remoting: Remoting;
  readonly #held: Held;
  readonly #receiver: Receiver;
  readonly #onIssue: (message: string, error: unknown) => void;
  readonly #builder = new BatchBuilder();
  #failure: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(options: PopConsumerOptions) {
    const { client, remoting, prepare, topics } = options;
    const { invisibleMs = INVISIBLE_MS, onIssue = () => undefined } = options;
    this.#client = client;
    this.#remoting = remoting;
    this.#onIssue = onIssue;
    this.#held = new Held({ client, invisibleMs, onIssue });
    this.#receiver = new Receiver({
      client,
      topics,
      invisibleMs,
      onIssue,
      prepare,
      isGone: async (topic) => (await remoting.queues(topic, { fresh: true })) === null,
      onReceived: (received) => {
        for (const { delivery } of received) this.#held.add(delivery);
        this.#wake?.();
      },
      onFailure: (error) => {
        this.#failure ??= { error };
        this.#wake?.();
      },
    });
  }

  async start(): Promise<void> {
    await retrying(() => this.#receiver.readRoutes(), START_MS);
    await this.#client.greeted(START_MS);
  }

  async receive(maxRecords: number, waitMs: number, signal?: AbortSignal): Promise<SharedBatch | null> {
    this.#receiver.resume();
    if (this.#receiver.buffered === 0) await this.#news(waitMs, signal);
    if (this.#failure !== null) throw this.#failure.error;
    return signal?.aborted === true ? null : this.#batch(this.#receiver.take(maxRecords));
  }

  async ack(deliveries: readonly Delivery[]): Promise<number> {
    const held = deliveries.map(own);
    await this.#held.drop(held);
    let failed = 0;
    await inParallel(chunks(held), PARALLEL_ACKS, async (receipts) => {
      try {
        const late = await retrying(() => this.#client.ack(receipts), ACK_MS);
        failed += late.size;
      } catch (error) {
        failed += receipts.length;
        this.#onIssue('records could not be acknowledged, and come again', error);
      }
    });
    return failed;
  }

  async release(deliveries: readonly Delivery[], delayMs: number): Promise<void> {
    await this.#held.release(deliveries.map(own), Math.max(GIVE_BACK_MS, delayMs));
  }

  async suspend(): Promise<void> {
    const left = await this.#receiver.suspend();
    await this.release(
      left.map(({ delivery }) => delivery),
      GIVE_BACK_MS,
    );
  }

  async close(): Promise<void> {
    await this.suspend();
    await this.release(this.#held.all(), GIVE_BACK_MS);
    await this.#held.close();
    await this.#client.close();
    await this.#remoting.close();
  }

  async #news(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        wake();
      }, waitMs);
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#wake = null;
        resolve();
      };
      this.#wake = wake;
      signal?.addEventListener('abort', wake);
      if (this.#failure !== null || signal?.aborted === true) wake();
    });
  }

  #batch(received: readonly Received[]): SharedBatch | null {
    const [first] = received;
    if (first === undefined) return null;
    this.#builder.reset();
    const deliveries: HeldDelivery[] = [];
    for (const [i, { message, delivery }] of received.entries()) {
      try {
        if (!addPopMessage(message, this.#builder)) {
          this.#receiver.putBack(received.slice(i));
          break;
        }
        deliveries.push(delivery);
      } catch (error) {
        this.#onIssue('a message cannot be read and is given back', error);
        void this.release([delivery], GIVE_BACK_MS);
      }
    }
    if (deliveries.length === 0) return null;
    return { topic: first.topic, batch: this.#builder.build(), deliveries };
  }
}

function own(delivery: Delivery): HeldDelivery {
  if (delivery instanceof HeldDelivery) return delivery;
  throw new TypeError('this delivery is not of a shared consumer');
}

/** What one call may acknowledge: of one topic and one proxy. */
function chunks(deliveries: readonly HeldDelivery[]): readonly [Receipt, ...Receipt[]][] {
  const open = new Map<string, [Receipt, ...Receipt[]]>();
  const all: [Receipt, ...Receipt[]][] = [];
  for (const { receipt } of deliveries) {
    const key = `${receipt.topic}\n${receipt.endpoints.facade}`;
    const chunk = open.get(key);
    if (chunk !== undefined && chunk.length < ACK_MESSAGES) {
      chunk.push(receipt);
      continue;
    }
    const fresh: [Receipt, ...Receipt[]] = [receipt];
    open.set(key, fresh);
    all.push(fresh);
  }
  return all;
}

async function retrying<T>(body: () => Promise<T>, deadlineMs: number): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await body();
    } catch (error) {
      const pauseMs = nextDelayMs(PAUSES, failures, Math.random());
      if (!mayPass(error) || performance.now() + pauseMs > deadline) throw error;
      await pause(pauseMs, []);
    }
  }
}
