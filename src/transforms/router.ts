import { DataError, describeValue, withTopic } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { parseExpression } from './expression.js';

/** Sends each record to the topic that an expression gives. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'topic.expression',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'An expression, in the Common Expression Language, that gives the name of a topic, or null: the topic stays. See docs/transforms.md.',
    },
  ],
  create: (config) => {
    const expression = parseExpression(config.string('topic.expression'), 'topic.expression', [
      'string',
      'null',
    ]);
    return {
      apply: (record) => {
        const topic = expression.evaluate(record);
        if (topic === null) return record;
        if (typeof topic === 'string' && topic !== '')
          return topic === record.topic ? record : withTopic(record, topic);
        throw new DataError(
          `topic.expression: it is to give the name of a topic or null, not ${describeValue(topic)}`,
          {
            code: 'EXPRESSION_FAILED',
          },
        );
      },
    };
  },
};

export default { type: 'transformation', plugin: transform } satisfies Plugin;
