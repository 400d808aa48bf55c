/** Sends messages through the proxy. */
import { randomUUID } from 'node:crypto';
import {
  ExponentialBackoffRetryPolicy,
  PublishingMessage,
  PublishingSettings,
  SendReceipt,
  type MessageQueue,
  type Settings,
} from 'rocketmq-client-nodejs';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { LogError } from '../../log.js';
import { toLogError } from './errors.js';
import { ProxyClient, REQUEST_MS, type ProxyClientOptions } from './proxy-client.js';

export class ProducerClient extends ProxyClient {
  readonly #settings: PublishingSettings;

  constructor(options: ProxyClientOptions) {
    super(options);
    // Retries are ours: they need a deadline.
    const once = ExponentialBackoffRetryPolicy.immediatelyRetryPolicy(1);
    this.#settings = new PublishingSettings('', this.clientId, this.endpoints, once, REQUEST_MS, this.topics);
  }

  /** One request, stored as one batch. Answers the offset of the first. */
  async send(topic: string, bodies: readonly Uint8Array[]): Promise<number> {
    try {
      const [queue, ...others] = await this.queues(topic);
      if (queue === undefined || others.length > 0)
        throw manyQueues(topic, queue === undefined ? 0 : others.length + 1);
      const request = new service.SendMessageRequest();
      for (const body of bodies) request.addMessages(this.#message(topic, body, queue));
      const response = await this.rpc.sendMessage(queue.broker.endpoints, request, REQUEST_MS);
      const [receipt] = SendReceipt.processResponseInvocation(queue, response);
      if (receipt === undefined)
        throw new LogError('LOG_IO', `the proxy gave no receipt for a message to ${topic}`);
      return receipt.offset;
    } catch (error) {
      this.forgetRoute(topic);
      throw toLogError(`publish to topic ${topic} through the proxy`, error);
    }
  }

  #message(topic: string, body: Uint8Array, queue: MessageQueue): definition.Message {
    const { maxBodySizeBytes } = this.#settings;
    if (body.byteLength > maxBodySizeBytes) throw tooLarge(topic, body.byteLength, maxBodySizeBytes);
    const options = { topic, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
    const message = new PublishingMessage(options, this.#settings, false).toProtobuf('', queue);
    // Its own ids repeat from thread to thread, and RocketMQ's tools find messages by them.
    message.getSystemProperties()?.setMessageId(`01${randomUUID().replaceAll('-', '').toUpperCase()}`);
    return message;
  }

  protected override getSettings(): Settings {
    return this.#settings;
  }

  protected override getClientType(): definition.ClientType {
    return definition.ClientType.PRODUCER;
  }

  protected override wrapHeartbeatRequest(): service.HeartbeatRequest {
    return new service.HeartbeatRequest().setClientType(this.getClientType());
  }

  protected override wrapNotifyClientTerminationRequest(): service.NotifyClientTerminationRequest {
    return new service.NotifyClientTerminationRequest();
  }
}

function manyQueues(topic: string, count: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `topic ${topic} must have one queue on one broker, since its order counts; it has ${count}. Delete it, and let the node create it`,
  );
}

function tooLarge(topic: string, bytes: number, maxBytes: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `a message of ${bytes} bytes cannot be published to topic ${topic}: the proxy takes ${maxBytes}. Raise maxMessageSize of the broker and of the proxy`,
  );
}
