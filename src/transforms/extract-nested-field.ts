import {
  copyFields,
  DataError,
  fieldOf,
  isFields,
  PerSchema,
  SchemaBuilder,
  setField,
} from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { KEY, nonEmptyText, requireFields, VALUE, type Part } from './part.js';

/** Adds a field of a struct in the struct to the struct itself. */
function extractNestedField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'input.outer.field.name',
        type: 'STRING',
        importance: 'HIGH',
        documentation: 'The field that is a struct.',
        validator: nonEmptyText,
      },
      {
        name: 'input.inner.field.name',
        type: 'STRING',
        importance: 'HIGH',
        documentation: 'Its field that is to be added.',
        validator: nonEmptyText,
      },
      {
        name: 'output.field.name',
        type: 'STRING',
        defaultValue: null,
        importance: 'MEDIUM',
        documentation: 'The name of the new field. Not given: that of the inner one.',
        validator: nonEmptyText,
      },
    ],
    create: (config) => {
      const outer = config.string('input.outer.field.name');
      const inner = config.string('input.inner.field.name');
      const name = config.stringOrNull('output.field.name') ?? inner;
      const schemas = new PerSchema((schema) => withNested(schema, outer, inner, name));
      return {
        apply: (record) => {
          const value = part.value(record) ?? null;
          const schema = part.schema(record);
          if (value === null && schema === null) return record;
          const fields = copyFields(requireFields(value, schema, 'ExtractNestedField'));
          const struct = fieldOf(fields, outer) ?? null;
          if (struct !== null && !isFields(struct))
            throw new DataError(`ExtractNestedField: the field ${outer} is no struct`, {
              code: 'NOT_A_STRUCT',
            });
          setField(fields, name, (struct === null ? null : fieldOf(struct, inner)) ?? null);
          return part.replace(record, schema === null ? null : schemas.of(schema), fields);
        },
      };
    },
  };
}

/** The new field may be null where the struct may. */
function withNested(schema: Schema, outer: string, inner: string, name: string): Schema {
  const struct = fieldSchema(schema, outer);
  const field = fieldSchema(struct, inner);
  const builder = SchemaBuilder.basics(schema).default(undefined);
  for (const each of schema.fields ?? []) builder.field(each.name, each.schema);
  return builder.field(name, struct.optional ? SchemaBuilder.from(field).optional().build() : field).build();
}

function fieldSchema(schema: Schema, name: string): Schema {
  const found = schema.fields?.find((field) => field.name === name)?.schema;
  if (found !== undefined) return found;
  throw new DataError(`ExtractNestedField: there is no field ${name}`, { code: 'NO_SUCH_FIELD' });
}

export const Key = { type: 'transformation', plugin: extractNestedField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: extractNestedField(VALUE) } satisfies Plugin;
