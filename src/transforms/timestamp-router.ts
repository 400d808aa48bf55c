import { ConfigError, DataError, javaDateFormat, withTopic } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';

/** Puts the time of the record into the name of its topic. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'topic.format',
      type: 'STRING',
      defaultValue: '${topic}-${timestamp}',
      importance: 'HIGH',
      documentation: 'The new name: ${topic} and ${timestamp} stand for the old name and the time.',
    },
    {
      name: 'timestamp.format',
      type: 'STRING',
      defaultValue: 'yyyyMMdd',
      importance: 'HIGH',
      documentation:
        "How the time is written, in UTC: all letters of Java's SimpleDateFormat, and text in ' '. In English, with weeks as in the United States: they begin on Sunday, and the first is that of 1 January.",
      validator: (value) => {
        const format = javaDateFormat(typeof value === 'string' ? value : '');
        return 'problem' in format ? format.problem : null;
      },
    },
  ],
  create: (config) => {
    const topicFormat = config.string('topic.format');
    const format = javaDateFormat(config.string('timestamp.format'));
    if ('problem' in format) throw new ConfigError(format.problem, { field: 'timestamp.format' });
    return {
      apply: (record) => {
        const { topic, timestamp } = record;
        if (topic === null) return record;
        if (timestamp === null) {
          throw new DataError('TimestampRouter: the record has no timestamp', { code: 'NO_TIMESTAMP' });
        }
        const time = format.format(timestamp);
        const name = topicFormat.replace(/\$\{(topic|timestamp)\}/g, (_, what) =>
          what === 'topic' ? topic : time,
        );
        return withTopic(record, name);
      },
    };
  },
};

export default { type: 'transformation', plugin: transform } satisfies Plugin;
