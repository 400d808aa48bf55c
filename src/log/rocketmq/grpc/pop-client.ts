/** POP through the proxy: a broker hands out messages one by one, and takes back those that nobody acknowledges in time. */
import {
  FilterExpression,
  SimpleSubscriptionSettings,
  StatusChecker,
  type Endpoints,
  type MessageQueue,
  type Settings,
} from 'rocketmq-client-nodejs';
import { createDuration, createResource } from 'rocketmq-client-nodejs/dist/util/index.js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { LogError } from '../../log.js';
import { waitFor } from '../remoting/deadlines.js';
import { toLogError } from './errors.js';
import type { PopMessage } from './pop-reply.js';
import { ProxyClient, REQUEST_MS, type ProxyClientOptions } from './proxy-client.js';

export interface PopClientOptions extends ProxyClientOptions {
  readonly group: string;
  readonly topics: readonly string[];
}

/** What a message is acknowledged by. */
export interface Receipt {
  readonly topic: string;
  readonly endpoints: Endpoints;
  readonly messageId: string;
  /** Another one after each change of the time for which the message is invisible. */
  readonly handle: string;
}

/** The shortest wait that the proxy takes. None longer: what comes again does not wake one that waits. */
export const WAIT_MS = 5000;
/** The most that the proxy hands out at once. */
export const MAX_MESSAGES = 32;

const { SIMPLE_CONSUMER } = definition.ClientType;
const { OK } = definition.Code;

export class PopClient extends ProxyClient {
  readonly #group: string;
  readonly #settings: SimpleSubscriptionSettings;
  readonly #greeted: Promise<void>;
  #greet: () => void = () => undefined;

  constructor({ group, topics, ...options }: PopClientOptions) {
    super(options);
    this.#group = group;
    this.#greeted = new Promise((resolve) => {
      this.#greet = resolve;
    });
    this.#settings = new SimpleSubscriptionSettings(
      '',
      this.clientId,
      SIMPLE_CONSUMER,
      this.endpoints,
      group,
      REQUEST_MS,
      WAIT_MS,
      new Map(topics.map((topic) => [topic, FilterExpression.SUB_ALL])),
    );
  }

  /** A queue of each broker that has the topic: it stands for all that the broker has. */
  async brokers(topic: string): Promise<readonly MessageQueue[]> {
    try {
      const queues = await this.queues(topic);
      return [...new Map(queues.map((queue) => [queue.broker.name, queue])).values()];
    } catch (error) {
      throw toLogError(`find topic ${topic} through the proxy`, error);
    }
  }

  /** Resolves when a proxy knows this client, which is after `brokers`: before, it refuses to hand out anything. */
  async greeted(deadlineMs: number): Promise<void> {
    if ((await waitFor(this.#greeted, deadlineMs, [])) !== null) return;
    throw new LogError(
      'LOG_UNAVAILABLE',
      `the proxy has not answered to this client's settings for ${deadlineMs} ms. See the log of the proxy, and try again`,
    );
  }

  override onSettingsCommand(endpoints: Endpoints, settings: definition.Settings): void {
    super.onSettingsCommand(endpoints, settings);
    this.#greet();
  }

  /** Waits up to `WAIT_MS` for the first. What it brings is invisible to others for `invisibleMs`. */
  async pop(queue: MessageQueue, max: number, invisibleMs: number): Promise<readonly PopMessage[]> {
    const request = new service.ReceiveMessageRequest()
      .setGroup(createResource(this.#group))
      .setMessageQueue(queue.toProtobuf())
      .setFilterExpression(FilterExpression.SUB_ALL.toProtobuf())
      .setLongPollingTimeout(createDuration(WAIT_MS))
      .setBatchSize(max)
      .setAutoRenew(false)
      .setInvisibleDuration(createDuration(invisibleMs));
    const topic = queue.topic.name;
    try {
      const replies = await this.rpc.receive(queue.broker.endpoints, request, WAIT_MS + REQUEST_MS);
      const messages = replies.map(({ message }) => message).filter((message) => message !== null);
      if (messages.length === 0) for (const { status } of replies) StatusChecker.check(status ?? undefined);
      return messages;
    } catch (error) {
      this.forgetRoute(topic);
      throw toLogError(`receive from topic ${topic} through the proxy`, error);
    }
  }

  /** All of one topic and endpoints. Answers which of them were not acknowledged: their time was over. */
  async ack(receipts: readonly [Receipt, ...Receipt[]]): Promise<ReadonlySet<Receipt>> {
    const [{ topic, endpoints }] = receipts;
    const request = new service.AckMessageRequest()
      .setGroup(createResource(this.#group))
      .setTopic(createResource(topic));
    for (const { messageId, handle } of receipts)
      request.addEntries().setMessageId(messageId).setReceiptHandle(handle);
    try {
      const response = await this.rpc.ackMessage(endpoints, request, REQUEST_MS);
      const done = new Set<string>();
      for (const entry of response.getEntriesList())
        if (entry.getStatus()?.getCode() === OK) done.add(entry.getReceiptHandle());
      // Without entries the whole was refused; only an entry says why it was, beyond a code.
      const status = response.getEntriesList()[0]?.getStatus() ?? response.getStatus();
      if (done.size === 0) StatusChecker.check(status?.toObject());
      return new Set(receipts.filter(({ handle }) => !done.has(handle)));
    } catch (error) {
      throw toLogError(`acknowledge records of topic ${topic} through the proxy`, error);
    }
  }

  /** The message is invisible to others for so long from now. */
  async changeInvisible(receipt: Receipt, ms: number): Promise<Receipt> {
    const { topic, endpoints, messageId, handle } = receipt;
    const request = new service.ChangeInvisibleDurationRequest()
      .setGroup(createResource(this.#group))
      .setTopic(createResource(topic))
      .setReceiptHandle(handle)
      .setInvisibleDuration(createDuration(ms))
      .setMessageId(messageId);
    try {
      const response = await this.rpc.changeInvisibleDuration(endpoints, request, REQUEST_MS);
      StatusChecker.check(response.getStatus()?.toObject());
      return { ...receipt, handle: response.getReceiptHandle() };
    } catch (error) {
      throw toLogError(`keep a record of topic ${topic} through the proxy`, error);
    }
  }

  protected override getSettings(): Settings {
    return this.#settings;
  }

  protected override getClientType(): definition.ClientType {
    return SIMPLE_CONSUMER;
  }

  protected override wrapHeartbeatRequest(): service.HeartbeatRequest {
    return new service.HeartbeatRequest()
      .setClientType(this.getClientType())
      .setGroup(createResource(this.#group));
  }

  protected override wrapNotifyClientTerminationRequest(): service.NotifyClientTerminationRequest {
    return new service.NotifyClientTerminationRequest().setGroup(createResource(this.#group));
  }
}
