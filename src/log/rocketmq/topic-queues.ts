/**
 * The port's queue numbers, 0 to N-1, as RocketMQ's queues. Offsets are kept by number, so a number must go on meaning
 * the same queue, for everybody. The name servers forget a broker that goes away; taken at their word, the numbers of
 * its queues would pass to those of the next broker. So the order that a topic began with, by the broker's name and then
 * the queue's id, is kept beside the route, and what comes later is put behind it.
 *
 * Two clients that see different new queues first put them there in different orders, and the later one wins. So new
 * queues have their numbers only when the name servers have been seen to keep them in that order for a while: whoever
 * was about to write another one has done so by then, and been read.
 */
import { LRUCache } from 'lru-cache';
import { LogError } from '../log.js';
import type { BrokerQueue, RemotingClient } from './remoting/client.js';

const MAX_TOPICS = 10_000;

type Client = Pick<
  RemotingClient,
  'queues' | 'registeredBrokers' | 'keptQueues' | 'keepQueues' | 'forgetQueues'
>;
type Queues = readonly BrokerQueue[];

interface Known {
  /** Of which they were numbered; the client gives the same one until it has another. */
  readonly route: Queues;
  readonly numbered: Queues;
  readonly growing: Growing | null;
}

/** An order with new queues behind, and when this client saw it first. */
interface Growing {
  readonly order: Queues;
  readonly since: number;
}

interface Kept {
  readonly order: Queues;
  /** False: the name servers keep none. */
  readonly shared: boolean;
}

/** Longer than a client may take from reading an order to writing one. */
const SETTLE_MS = 5000;

export class TopicQueues {
  readonly #client: Client;
  readonly #known = new LRUCache<string, Known>({ max: MAX_TOPICS });
  readonly #now: () => number;

  /** `now`: monotonic, in milliseconds. */
  constructor(client: Client, now = () => performance.now()) {
    this.#client = client;
    this.#now = now;
  }

  /** In the order of their numbers; null: there is no such topic. LOG_UNAVAILABLE while numbers would change. */
  async all(topic: string, options: { readonly fresh?: boolean } = {}): Promise<Queues | null> {
    const route = await this.#client.queues(topic, options);
    const known = this.#known.get(topic);
    if (known !== undefined && known.route === route && !this.#isDue(known.growing)) return known.numbered;
    const kept = await this.#kept(topic, known?.numbered ?? null, route);
    if (route === null) {
      if (kept !== null) await this.#checkDeleted(topic, kept.order);
      this.#known.delete(topic);
      return null;
    }
    const order = kept === null ? route : await this.#number(topic, kept.order, route);
    if (kept === null || !sameOrder(kept.order, order)) await this.#client.keepQueues(topic, order);
    const present = known?.numbered ?? kept?.order ?? order;
    const growing =
      kept?.shared === true ? this.#growing(present, kept.order, order, known?.growing ?? null) : null;
    const numbered = growing === null ? order : present;
    this.#known.set(topic, { route, numbered, growing });
    return numbered;
  }

  /** The topic is deleted. */
  async forget(topic: string): Promise<void> {
    this.#known.delete(topic);
    await this.#client.forgetQueues(topic);
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

  /** The order that holds so far. Another client may have put queues behind it that this one sees only now. */
  async #kept(topic: string, known: Queues | null, route: Queues | null): Promise<Kept | null> {
    if (known !== null && (route === null || without(route, known).length === 0))
      return { order: known, shared: true };
    const kept = await this.#client.keptQueues(topic);
    if (kept !== null && (known === null || startsWith(kept, known))) return { order: kept, shared: true };
    return known === null ? null : { order: known, shared: kept !== null };
  }

  /** Null: the order holds. */
  #growing(present: Queues, kept: Queues, order: Queues, before: Growing | null): Growing | null {
    if (order.length <= present.length) return null;
    if (before === null || !sameOrder(before.order, order) || !sameOrder(kept, order))
      return { order, since: this.#now() };
    return this.#isDue(before) ? null : before;
  }

  #isDue(growing: Growing | null): boolean {
    return growing !== null && this.#now() - growing.since >= SETTLE_MS;
  }

  async #number(topic: string, kept: Queues, route: Queues): Promise<Queues> {
    const added = without(route, kept);
    const missing = without(kept, route);
    if (missing.length === 0) return added.length === 0 ? kept : [...kept, ...added];
    const shrunk = missing.filter(({ broker }) => route.some((queue) => queue.broker === broker));
    const rest = kept.slice(0, kept.length - missing.length);
    // Made anew with fewer queues, by somebody else.
    if (shrunk.length === missing.length && added.length === 0 && without(rest, route).length === 0)
      return rest;
    const [moved] = shrunk.length > 0 ? shrunk : await this.#onRegistered(missing);
    if (moved === undefined) return [...kept, ...added];
    throw new LogError(
      'LOG_UNAVAILABLE',
      `the queues of topic ${topic} are not where they were: broker ${moved.broker} has no queue ${moved.queueId} of it any more. If the topic was moved or made anew, see "Queues" in docs/rocketmq.md`,
    );
  }

  /** A topic that nobody shows is deleted only if the brokers that had it are there. */
  async #checkDeleted(topic: string, kept: Queues): Promise<void> {
    const there = await this.#onRegistered(kept);
    const away = without(kept, there)[0];
    if (away !== undefined)
      throw new LogError(
        'LOG_UNAVAILABLE',
        `broker ${away.broker}, which has topic "${topic}", is away. Start it. If it is gone for good, see "Queues" in docs/rocketmq.md`,
      );
    await this.#client.forgetQueues(topic);
  }

  async #onRegistered(queues: Queues): Promise<Queues> {
    const registered = new Set(await this.#client.registeredBrokers());
    return queues.filter(({ broker }) => registered.has(broker));
  }
}

function without(queues: Queues, others: Queues): Queues {
  const names = new Set(others.map(nameOf));
  return queues.filter((queue) => !names.has(nameOf(queue)));
}

function startsWith(queues: Queues, beginning: Queues): boolean {
  return sameOrder(queues.slice(0, beginning.length), beginning);
}

function sameOrder(queues: Queues, others: Queues): boolean {
  return queues.length === others.length && queues.every((queue, i) => same(queue, others[i]));
}

function same(a: BrokerQueue, b: BrokerQueue | undefined): boolean {
  return a.broker === b?.broker && a.queueId === b.queueId;
}

function nameOf({ broker, queueId }: BrokerQueue): string {
  return `${broker}\n${queueId}`;
}
