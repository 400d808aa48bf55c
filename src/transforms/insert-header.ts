import { parseValueText, withHeaders } from '../sdk/index.js';
import type { Header, Plugin, Transform } from '../sdk/index.js';

/** Adds the same header to each record. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'header',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'Name of the header. Those of the same name stay.',
    },
    {
      name: 'value.literal',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'Its value. What looks like a number, true or false, null, a time in ISO 8601, an array or a map (`[1, 2]`, `{"a": 1}`) is one, with a schema; all else is text.',
    },
  ],
  create: (config) => {
    const { schema, value } = parseValueText(config.string('value.literal'));
    const header: Header = { key: config.string('header'), schema, value };
    return { apply: (record) => withHeaders(record, [...record.headers, header]) };
  },
};

export default { type: 'transformation', plugin: transform } satisfies Plugin;
