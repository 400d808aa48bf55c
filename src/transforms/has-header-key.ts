import type { Plugin, Predicate } from '../sdk/index.js';
import { nonEmptyText } from './part.js';

/** True for records that have at least one header of the name. */
const predicate: Predicate = {
  version: '1.0.0',
  config: [
    {
      name: 'name',
      type: 'STRING',
      importance: 'MEDIUM',
      documentation: 'Name of the header.',
      validator: nonEmptyText,
    },
  ],
  create: (config) => {
    const name = config.string('name');
    return { test: (record) => record.headers.some((header) => header.key === name) };
  },
};

export default { type: 'predicate', plugin: predicate } satisfies Plugin;
