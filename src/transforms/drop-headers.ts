import { withHeaders } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { nonEmptyList } from './part.js';

/** Takes headers away. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'headers',
      type: 'LIST',
      importance: 'HIGH',
      documentation: 'Names of the headers to leave out, each with all its values.',
      validator: nonEmptyList,
    },
  ],
  create: (config) => {
    const names = new Set(config.list('headers'));
    return {
      apply: (record) => {
        const kept = record.headers.filter((header) => !names.has(header.key));
        return kept.length === record.headers.length ? record : withHeaders(record, kept);
      },
    };
  },
};

export default { type: 'transformation', plugin: transform } satisfies Plugin;
