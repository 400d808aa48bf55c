/** What the proxy's client knows a broker of a topic by. */
import { MessageQueue } from 'rocketmq-client-nodejs';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';

export const TOPIC = 'orders';

export function queueOf(broker: string): MessageQueue {
  const endpoints = new definition.Endpoints().setScheme(definition.AddressScheme.IPV4);
  endpoints.addAddresses().setHost('127.0.0.1').setPort(1);
  return new MessageQueue(
    new definition.MessageQueue()
      .setTopic(new definition.Resource().setName(TOPIC))
      .setBroker(new definition.Broker().setName(broker).setEndpoints(endpoints)),
  );
}
