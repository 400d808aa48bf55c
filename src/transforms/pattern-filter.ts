import { fieldOf, isFields, javaPattern, javaPatternProblem } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { KEY, nonEmptyList, VALUE, type Part } from './part.js';

/** Drops records of which a text is what an expression matches. */
function patternFilter(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'pattern',
        type: 'STRING',
        importance: 'HIGH',
        documentation: "Regular expression, in Java's syntax, that must match the whole text of a field.",
        validator: javaPatternProblem,
      },
      {
        name: 'fields',
        type: 'LIST',
        importance: 'HIGH',
        documentation:
          'Names of the fields. A record is dropped when one of them matches; others than texts never do.',
        validator: nonEmptyList,
      },
    ],
    create: (config) => {
      const { whole } = javaPattern(config.string('pattern'));
      const names = config.list('fields');
      return {
        apply: (record) => {
          const value = part.value(record);
          const matches = names.some((name) => {
            const text: unknown = isFields(value)
              ? fieldOf(value, name)
              : value instanceof Map
                ? value.get(name)
                : null;
            return typeof text === 'string' && whole.test(text);
          });
          return matches ? null : record;
        },
      };
    },
  };
}

export const Key = { type: 'transformation', plugin: patternFilter(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: patternFilter(VALUE) } satisfies Plugin;
