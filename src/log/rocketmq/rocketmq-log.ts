/** The log in a RocketMQ 5 cluster, over its remoting protocol. docs/rocketmq.md says how records look there. */
import { setMaxListeners } from 'node:events';
import * as check from '../checks.js';
import { JoinedSignals } from '../joined-signals.js';
import { LogError } from '../log.js';
import type * as port from '../log.js';
import { ConsumerGroups } from './consumer-groups.js';
import { fromRocketMqGroup, toRocketMqGroup } from './group-names.js';
import { ReadOwnWrites } from './read-own-writes.js';
import { readQueue } from './queue-read.js';
import type { BrokerQueue, RemotingClient } from './remoting/client.js';
import { unlessAborted } from './remoting/deadlines.js';
import { toSendParts, type SendPart } from './send-parts.js';
import { checkRocketMqTopic } from './topic-names.js';
import { TopicQueues } from './topic-queues.js';

/** Tests have their own. */
export type Remoting = Pick<RemotingClient, keyof RemotingClient>;

export interface RocketMqLogOptions {
  readonly client: Remoting;
  /** The broker's `maxMessageSize`: the largest request, and so the largest record. */
  readonly maxMessageBytes: number;
  /** How long a read waits, at most, for the broker to show what this client appended itself. */
  readonly ownAppendsMs?: number;
}

/** Brokers count pulls by group; no offsets are committed for this one. */
const READ_GROUP = 'troupe-reader';
/** A read gathers up to this much, however much is asked for. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
const MAX_READ_RECORDS = 2048;
/** What a message takes in a request besides its record, at most where the record has no headers. */
const MESSAGE_OVERHEAD = 1024;

interface Send {
  readonly topic: string;
  readonly queue: BrokerQueue;
  readonly parts: readonly SendPart[];
}

export class RocketMqLog implements port.Log {
  readonly capabilities: port.LogCapabilities;
  readonly #client: Remoting;
  readonly #queues: TopicQueues;
  readonly #own: ReadOwnWrites;
  readonly #maxMessageBytes: number;
  readonly #closing = new AbortController();
  readonly #signals = new JoinedSignals(this.#closing.signal);
  readonly #groups: ConsumerGroups;

  constructor({ client, maxMessageBytes, ownAppendsMs }: RocketMqLogOptions) {
    this.capabilities = {
      atomicAppend: false,
      fencing: false,
      trim: false,
      maxRecordBytes: maxMessageBytes - MESSAGE_OVERHEAD,
    };
    this.#client = client;
    this.#queues = new TopicQueues(client);
    this.#own = new ReadOwnWrites(ownAppendsMs);
    this.#groups = new ConsumerGroups(client);
    this.#maxMessageBytes = maxMessageBytes;
    setMaxListeners(0, this.#closing.signal);
  }

  /** Retention is the brokers'. The queues are dealt to as many masters as can have equally many. */
  async createTopic(name: string, settings: port.TopicSettings): Promise<port.TopicDescription> {
    this.#checkOpen();
    check.checkTopicName(name);
    checkRocketMqTopic(name);
    check.checkSettings(settings);
    const existing = await this.describeTopic(name);
    if (existing !== null) return existing;
    const brokers =
      settings.queues === 1 ? 1 : evenShare(settings.queues, (await this.#client.masters()).length);
    await this.#client.createTopic(name, { queues: settings.queues / brokers, brokers });
    const created = await this.describeTopic(name);
    if (created !== null) return created;
    throw new LogError('LOG_UNAVAILABLE', `topic "${name}" was created, but is not there yet. Try again`);
  }

  async describeTopic(name: string): Promise<port.TopicDescription | null> {
    this.#checkOpen();
    const queues = await this.#queues.all(name, { fresh: true });
    return queues === null ? null : describe(name, queues.length);
  }

  async listTopics(): Promise<readonly port.TopicDescription[]> {
    this.#checkOpen();
    const topics: port.TopicDescription[] = [];
    for (const name of await this.#client.listTopics()) {
      const queues = await this.#client.queues(name);
      // Null: it was deleted just now.
      if (queues !== null) topics.push(describe(name, queues.length));
    }
    return topics;
  }

  async deleteTopic(name: string): Promise<void> {
    this.#checkOpen();
    const queues = await this.#queues.all(name, { fresh: true });
    if (queues === null) throw unknownTopic(name);
    // The broker would put what it does not show yet into the queues of a topic that is made anew.
    for (const queue of queues) await this.#visible(name, queue);
    await this.#client.deleteTopic(name);
    await this.#queues.forget(name);
  }

  async append(request: port.AppendRequest): Promise<readonly number[]> {
    this.#checkOpen();
    check.checkAppend(request);
    const permit = request.permit === undefined ? {} : { permit: request.permit };
    const sends: Send[] = [];
    for (const entry of request.entries) {
      const { topic } = entry;
      const queue = await this.#queues.queue(topic, entry.queue);
      sends.push({ topic, queue, parts: toSendParts(entry, this.#maxMessageBytes) });
    }
    const offsets: number[] = [];
    let appended = false;
    for (const { topic, queue, parts } of sends) {
      for (const [i, part] of parts.entries()) {
        try {
          const offset = await this.#client.sendBatch({ topic, queue, ...part, ...permit });
          if (i === 0) offsets.push(offset);
          this.#own.appended(topic, queue, offset + part.count);
        } catch (error) {
          throw appended ? partlyAppended(error) : error;
        }
        appended = true;
      }
    }
    return offsets;
  }

  async read(request: port.ReadRequest): Promise<port.ReadResult> {
    this.#checkOpen();
    check.checkRead(request);
    request.signal?.throwIfAborted();
    const { topic, offset, waitMs } = request;
    const signal = request.signal === undefined ? this.#closing.signal : this.#signals.with(request.signal);
    const queue = await unlessAborted(this.#readable(topic, request.queue), signal);
    return readQueue({
      queue: `topic "${topic}", queue ${request.queue}`,
      offset,
      waitMs,
      maxBytes: Math.min(request.maxBytes, MAX_READ_BYTES),
      maxRecords: Math.min(request.maxRecords, MAX_READ_RECORDS),
      markedBy: request.markedBy,
      pull: (from, pullWaitMs) =>
        this.#groups.with(READ_GROUP, 'ensure', () =>
          this.#client.pull({
            topic,
            queue,
            group: READ_GROUP,
            offset: from,
            // Always the same: then the client can go on with a wait that an earlier read began.
            maxBytes: MAX_READ_BYTES,
            maxMessages: MAX_READ_RECORDS,
            waitMs: pullWaitMs,
            signal,
          }),
        ),
    });
  }

  async ranges(topic: string): Promise<readonly port.QueueRange[]> {
    this.#checkOpen();
    const queues = await this.#queues.all(topic);
    if (queues === null) throw unknownTopic(topic);
    for (const queue of queues) await this.#visible(topic, queue);
    const stats = await this.#client.topicStats(topic);
    if (stats === null) throw unknownTopic(topic);
    return queues.map((queue, number) => {
      const found = stats.find(
        ({ queue: { broker, queueId } }) => broker === queue.broker && queueId === queue.queueId,
      );
      if (found === undefined) throw brokerAway(topic, queue.broker);
      return { queue: number, startOffset: found.minOffset, endOffset: found.maxOffset };
    });
  }

  async trim(): Promise<void> {
    this.#checkOpen();
  }

  async fence(): Promise<void> {
    this.#checkOpen();
  }

  async subscribe(group: string, topics: readonly string[]): Promise<void> {
    this.#checkOpen();
    check.checkSubscription(group, topics);
  }

  async commitOffsets(group: string, offsets: readonly port.GroupOffset[]): Promise<void> {
    this.#checkOpen();
    check.checkCommit(group, offsets);
    const commits: { topic: string; queue: BrokerQueue; offset: number }[] = [];
    for (const { topic, queue, offset } of offsets)
      commits.push({ topic, queue: await this.#queues.queue(topic, queue), offset });
    const name = toRocketMqGroup(group);
    // One by one: of a group's first two for a topic at once the broker may lose one.
    for (const { topic, queue, offset } of commits)
      await this.#groups.with(name, 'ensureSeen', () =>
        this.#client.commitOffset(name, topic, queue, offset),
      );
  }

  async committedOffsets(group: string): Promise<readonly port.GroupOffset[]> {
    this.#checkOpen();
    const offsets: port.GroupOffset[] = [];
    for (const { topic, queue, committedOffset } of await this.#client.consumeStats(toRocketMqGroup(group))) {
      const number = await this.#queues.numberOf(topic, queue);
      if (number !== null) offsets.push({ topic, queue: number, offset: committedOffset });
    }
    return offsets;
  }

  /** Without those whose RocketMQ name does not tell ours. */
  async listGroups(): Promise<readonly string[]> {
    this.#checkOpen();
    const names = (await this.#client.listGroups()).map(fromRocketMqGroup);
    return names.filter((name) => name !== null && name !== READ_GROUP).map(String);
  }

  async deleteGroup(group: string): Promise<void> {
    this.#checkOpen();
    await this.#groups.delete(toRocketMqGroup(group));
  }

  async close(): Promise<void> {
    this.#closing.abort(new LogError('LOG_CLOSED', 'the log is closed'));
    await this.#client.close();
  }

  async #readable(topic: string, number: number): Promise<BrokerQueue> {
    const queue = await this.#queues.queue(topic, number);
    await this.#groups.ensure(READ_GROUP);
    await this.#visible(topic, queue);
    return queue;
  }

  #visible(topic: string, queue: BrokerQueue): Promise<void> {
    return this.#own.visible(topic, queue, () => this.#client.maxOffset(topic, queue));
  }

  #checkOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** The most brokers that can have equally many of the queues. */
function evenShare(queues: number, brokers: number): number {
  let share = Math.min(queues, Math.max(1, brokers));
  while (queues % share !== 0) share -= 1;
  return share;
}

function describe(name: string, queues: number): port.TopicDescription {
  // Brokers keep nothing that tells a topic from one made anew: attributes have fixed names, and no time is kept.
  return { name, queues, retentionMs: null, retentionBytes: null, id: null };
}

function unknownTopic(name: string): LogError {
  return new LogError('LOG_UNKNOWN_TOPIC', `there is no topic "${name}". Create it first`);
}

/** Long enough for the name servers to forget its queues. */
function brokerAway(topic: string, broker: string): LogError {
  return new LogError(
    'LOG_UNAVAILABLE',
    `broker ${broker}, which has queues of topic "${topic}", is away. Try again when it is back`,
  );
}

/** Some of it is there, whatever the code of the failure says of the rest. */
function partlyAppended(error: unknown): LogError {
  const reason = error instanceof Error ? error.message : String(error);
  return new LogError(
    'LOG_UNAVAILABLE',
    `the first records of an append are in the log, the rest is not, or may be: ${reason}`,
    { cause: error },
  );
}
