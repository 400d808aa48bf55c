import { DataError } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { parseExpression } from './expression.js';

/** Drops every record it is given, to be used with a predicate; or those for which a condition is not true. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'condition',
      type: 'STRING',
      defaultValue: null,
      importance: 'MEDIUM',
      documentation:
        'An expression, in the Common Expression Language: records for which it is true go on. Not given: none does. See docs/transforms.md.',
    },
  ],
  create: (config) => {
    const text = config.stringOrNull('condition');
    if (text === null) return { apply: () => null };
    const condition = parseExpression(text, 'condition', ['bool']);
    return {
      apply: (record) => {
        const result = condition.evaluate(record);
        if (typeof result === 'boolean') return result ? record : null;
        throw new DataError(`condition: it is to give true or false, not a ${typeof result}`, {
          code: 'EXPRESSION_FAILED',
        });
      },
    };
  },
};

export default { type: 'transformation', plugin: transform } satisfies Plugin;
