/** A client of RocketMQ's remoting protocol: topics, groups, batches into a chosen queue, reads by offset. */
import { field } from './answers.js';
import { Cluster } from './cluster.js';
import { RequestCode } from './codes.js';
import { Groups } from './groups.js';
import { KeptQueues } from './kept-queues.js';
import { Pulls } from './pulls.js';
import { Sends } from './sends.js';
import { Topics } from './topics.js';
import type * as type from './types.js';

export type * from './types.js';
export { RemotingError } from './errors.js';

/**
 * Every failure is a RemotingError, which is a LogError. What may be done twice is tried again until the deadline
 * while servers are away or busy.
 */
export class RemotingClient {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #kept: KeptQueues;
  readonly #groups: Groups;
  readonly #sends: Sends;
  readonly #pulls: Pulls;

  constructor(options: type.RemotingOptions) {
    this.#cluster = new Cluster(options);
    this.#topics = new Topics(this.#cluster);
    this.#kept = new KeptQueues(this.#cluster, options.onIssue ?? (() => undefined));
    this.#groups = new Groups(this.#cluster, this.#topics);
    this.#sends = new Sends(this.#cluster, options.maxInFlightBytes);
    this.#pulls = new Pulls(this.#cluster);
  }

  /**
   * All queues that can be read, sorted by the broker's name, then id; null: unknown topic. From the route cache
   * unless `fresh`. A broker that is away takes its queues out of the list.
   */
  async queues(
    topic: string,
    options: { readonly fresh?: boolean } = {},
  ): Promise<readonly type.BrokerQueue[] | null> {
    const route = await this.#cluster.retrying(() => this.#cluster.routes.get(topic, options.fresh));
    return route?.readable ?? null;
  }

  /** Names of all brokers that a name server knows at present, of whatever cluster. */
  async registeredBrokers(): Promise<readonly string[]> {
    const brokers = await this.#cluster.retrying(() => this.#cluster.nameServers.brokers());
    return brokers.map(({ brokerName }) => brokerName);
  }

  /** What `keepQueues` was told last, by any client; null: nothing, or nothing since `forgetQueues`. */
  keptQueues(topic: string): Promise<readonly type.BrokerQueue[] | null> {
    return this.#kept.get(topic);
  }

  /** Every name server that can be reached keeps them, in this order, over restarts. */
  keepQueues(topic: string, queues: readonly type.BrokerQueue[]): Promise<void> {
    return this.#kept.put(topic, queues);
  }

  forgetQueues(topic: string): Promise<void> {
    return this.#kept.delete(topic);
  }

  /** Names of the masters, in the order in which `createTopic` takes them. */
  async masters(): Promise<readonly string[]> {
    return (await this.#cluster.masters()).map(({ broker }) => broker);
  }

  /** Resolves once the name server has the route. A topic that exists is changed to `options`. */
  createTopic(topic: string, options: type.CreateTopicOptions): Promise<void> {
    return this.#topics.create(topic, options);
  }

  deleteTopic(topic: string): Promise<void> {
    return this.#topics.delete(topic);
  }

  /** Without system, retry and dead-letter topics. */
  listTopics(): Promise<readonly string[]> {
    return this.#topics.list();
  }

  /** By broker and queue; null: unknown topic. */
  topicStats(topic: string): Promise<readonly type.QueueStats[] | null> {
    return this.#topics.stats(topic);
  }

  /** A group that exists is changed to `settings`. */
  createGroup(group: string, settings: type.GroupSettings = {}): Promise<void> {
    return this.#groups.create(group, settings);
  }

  /** On each master that does not have it. Where it exists it is left as it is: its settings may be somebody's choice. */
  ensureGroup(group: string): Promise<void> {
    return this.#groups.ensure(group);
  }

  /** With its committed offsets. */
  deleteGroup(group: string): Promise<void> {
    return this.#groups.delete(group);
  }

  /** Without RocketMQ's own. */
  listGroups(): Promise<readonly string[]> {
    return this.#groups.list();
  }

  /**
   * Resolves with the queue offset of the first message once it is as durable as the broker is set to make it. Tried
   * again only while it was certainly not taken; when the outcome is unknown (`refused` is false) the caller decides.
   * A broker may store two sends that are under way to one queue in either order.
   */
  sendBatch(request: type.SendBatchRequest): Promise<number> {
    return this.#sends.send(request);
  }

  /**
   * Waits up to `waitMs` for the first message. Aborting its signal rejects with the signal's reason. The group must
   * exist, unless the broker creates groups itself (`autoCreateSubscriptionGroup`). However much is asked for, the
   * broker answers at most `maxTransferCountOnMessageInMemory` messages (32) and `maxTransferBytesOnMessageInMemory`
   * bytes (256 KB), less for what it has to read from disk (8, 64 KB): settings of the broker.
   */
  pull(request: type.PullRequest): Promise<type.PullResult> {
    return this.#pulls.pull(request);
  }

  minOffset(topic: string, queue: type.BrokerQueue): Promise<number> {
    return this.#bound(RequestCode.GET_MIN_OFFSET, topic, queue);
  }

  /** The offset that the next message gets. */
  maxOffset(topic: string, queue: type.BrokerQueue): Promise<number> {
    return this.#bound(RequestCode.GET_MAX_OFFSET, topic, queue);
  }

  committedOffset(group: string, topic: string, queue: type.BrokerQueue): Promise<number | null> {
    return this.#groups.committed(group, topic, queue);
  }

  /** The broker writes it to disk some seconds later (`flushConsumerOffsetInterval`). The group must exist. */
  commitOffset(group: string, topic: string, queue: type.BrokerQueue, offset: number): Promise<void> {
    return this.#groups.commit(group, topic, queue, offset);
  }

  /** Of every queue for which the group has committed an offset. */
  consumeStats(group: string): Promise<readonly type.GroupQueueStats[]> {
    return this.#groups.stats(group);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  #bound(code: number, topic: string, queue: type.BrokerQueue): Promise<number> {
    const what = `ask for the offsets of topic ${topic}, queue ${queue.queueId} of ${queue.broker}`;
    const question = { code, fields: { topic, queueId: String(queue.queueId) } };
    return this.#cluster.retrying(async (timeoutMs) =>
      field(await this.#cluster.askQueue({ what, topic, queue, question, timeoutMs }), 'offset', what),
    );
  }
}
