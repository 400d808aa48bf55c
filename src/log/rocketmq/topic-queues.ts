/** The port's queue numbers, 0 to N-1, as RocketMQ's queues: by the broker's name, then its id. */
import { LRUCache } from 'lru-cache';
import { LogError } from '../log.js';
import type { BrokerQueue, RemotingClient } from './remoting/client.js';

const MAX_TOPICS = 10_000;

/**
 * Offsets are kept by number, so a number must go on meaning the same queue. The name servers forget a broker that goes
 * away; taken at their word, its queues' numbers would pass to those of the next broker. A new client knows no better.
 */
export class TopicQueues {
  readonly #client: Pick<RemotingClient, 'queues'>;
  readonly #known = new LRUCache<string, readonly BrokerQueue[]>({ max: MAX_TOPICS });

  constructor(client: Pick<RemotingClient, 'queues'>) {
    this.#client = client;
  }

  /** Null: there is no such topic. LOG_UNAVAILABLE while the numbers known here would change. */
  async all(
    topic: string,
    options: { readonly fresh?: boolean } = {},
  ): Promise<readonly BrokerQueue[] | null> {
    const queues = await this.#client.queues(topic, options);
    if (queues === null) {
      this.#known.delete(topic);
      return null;
    }
    const known = this.#known.get(topic);
    if (known === queues) return queues;
    const moved = known?.find((queue, i) => queues[i] !== undefined && !same(queue, queues[i]));
    if (moved !== undefined) {
      throw new LogError(
        'LOG_UNAVAILABLE',
        `the queues of topic ${topic} are not where they were: queue ${moved.queueId} of broker ${moved.broker} is gone from its place. Start that broker. If it is gone for good, or the topic was given to more brokers, see "Queues" in docs/rocketmq.md`,
      );
    }
    if (known !== undefined && isAway(known, queues)) return known;
    this.#known.set(topic, queues);
    return queues;
  }

  forget(topic: string): void {
    this.#known.delete(topic);
  }

  /** LOG_UNKNOWN_TOPIC, LOG_UNKNOWN_QUEUE. */
  async queue(topic: string, number: number): Promise<BrokerQueue> {
    const queues = await this.all(topic);
    if (queues === null)
      throw new LogError('LOG_UNKNOWN_TOPIC', `there is no topic "${topic}". Create it first`);
    const found = queues[number];
    if (found !== undefined) return found;
    throw new LogError(
      'LOG_UNKNOWN_QUEUE',
      `topic "${topic}" has queues 0 to ${queues.length - 1}, no queue ${number}`,
    );
  }

  /** Null: not one of the topic's. */
  async numberOf(topic: string, queue: BrokerQueue): Promise<number | null> {
    const found = (await this.all(topic))?.findIndex((other) => same(queue, other)) ?? -1;
    return found < 0 ? null : found;
  }
}

/** Whether the last of them are missing together with their broker. A topic that was made anew may well be smaller. */
function isAway(known: readonly BrokerQueue[], queues: readonly BrokerQueue[]): boolean {
  const missing = known.slice(queues.length);
  return missing.some(({ broker }) => queues.every((queue) => queue.broker !== broker));
}

function same(a: BrokerQueue, b: BrokerQueue): boolean {
  return a.broker === b.broker && a.queueId === b.queueId;
}
