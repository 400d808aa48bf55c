import { PerSchema, SchemaBuilder, setField } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';
import { KEY, nonEmptyText, VALUE, type Part } from './part.js';

/** Makes the whole value one field of a new struct, or of an object where there is no schema. */
function hoistField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'field',
        type: 'STRING',
        importance: 'MEDIUM',
        documentation: 'Name of the one field of the new struct.',
        validator: nonEmptyText,
      },
    ],
    create: (config) => {
      const field = config.string('field');
      const schemas = new PerSchema((schema) => SchemaBuilder.struct().field(field, schema).build());
      return {
        apply: (record) => {
          const schema = part.schema(record);
          // A literal with a computed name is ten times slower.
          const fields: Record<string, unknown> = {};
          setField(fields, field, part.value(record));
          return part.replace(record, schema === null ? null : schemas.of(schema), fields);
        },
      };
    },
  };
}

export const Key = { type: 'transformation', plugin: hoistField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: hoistField(VALUE) } satisfies Plugin;
