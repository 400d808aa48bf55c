import type { Plugin, Predicate } from '../sdk/index.js';
import { fullMatch, regexProblem } from './regex.js';

/** True for records of topics whose whole name matches. */
const predicate: Predicate = {
  version: '1.0.0',
  config: [
    {
      name: 'pattern',
      type: 'STRING',
      importance: 'MEDIUM',
      documentation: 'Regular expression that the whole name of the topic must match.',
      validator: regexProblem,
    },
  ],
  create: (config) => {
    const regex = fullMatch(config.string('pattern'));
    return { test: (record) => record.topic !== null && regex.test(record.topic) };
  },
};

export default { type: 'predicate', plugin: predicate } satisfies Plugin;
