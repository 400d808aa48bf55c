import type { Plugin, Predicate } from '../sdk/index.js';

/** True for records without a value. */
const predicate: Predicate = {
  version: '1.0.0',
  config: [],
  create: () => ({ test: (record) => record.value === null || record.value === undefined }),
};

export default { type: 'predicate', plugin: predicate } satisfies Plugin;
