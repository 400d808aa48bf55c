/** The keys of sinks that say how their tasks share the records of a topic. */
import type { ConfigDefinition } from '../sdk/config.js';

export const CONSUMING: ConfigDefinition = [
  {
    name: 'consume.mode',
    type: 'STRING',
    defaultValue: 'queue',
    allowed: ['queue', 'shared'],
    importance: 'MEDIUM',
    documentation:
      'queue: each queue is read by one task, in order. shared: single records go to whichever task is free, in no order, so that there may be more tasks than queues; needs RocketMQ with its proxy, and a connector that can do without order and offsets.',
    group: 'Common',
    width: 'SHORT',
    displayName: 'Consume mode',
  },
  {
    name: 'consume.max.attempts',
    type: 'INT',
    defaultValue: '16',
    min: 1,
    max: 1000,
    importance: 'LOW',
    documentation:
      'With consume.mode=shared: a record that was delivered so often without success goes to the topic %DLQ% and the name of the consumer group.',
    group: 'Error Handling',
    width: 'SHORT',
    displayName: 'Most attempts',
  },
];
