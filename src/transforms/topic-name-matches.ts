import { javaPattern, javaPatternProblem } from '../sdk/index.js';
import type { Plugin, Predicate } from '../sdk/index.js';

/** True for records of topics whose whole name matches. */
const predicate: Predicate = {
  version: '1.0.0',
  config: [
    {
      name: 'pattern',
      type: 'STRING',
      importance: 'MEDIUM',
      documentation: "Regular expression, in Java's syntax, that the whole name of the topic must match.",
      validator: javaPatternProblem,
    },
  ],
  create: (config) => {
    const { whole } = javaPattern(config.string('pattern'));
    return { test: (record) => record.topic !== null && whole.test(record.topic) };
  },
};

export default { type: 'predicate', plugin: predicate } satisfies Plugin;
