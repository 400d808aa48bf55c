import { ConfigError, copyFields, DataError, PerSchema, SchemaBuilder } from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { KEY, nullRuleOf, REPLACE_NULL_KEY, requireFields, settleNulls, VALUE, type Part } from './part.js';

/** Gives the schema another name or version. */
function setSchemaMetadata(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'schema.name',
        type: 'STRING',
        defaultValue: null,
        importance: 'HIGH',
        documentation: 'The new name. Not given: the name stays.',
      },
      {
        name: 'schema.version',
        type: 'INT',
        defaultValue: null,
        importance: 'HIGH',
        documentation: 'The new version. Not given: the version stays.',
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const name = config.stringOrNull('schema.name');
      const version = config.has('schema.version') ? config.int('schema.version') : null;
      if (name === null && version === null)
        throw new ConfigError('nothing to set: give schema.name, schema.version or both', {
          field: 'schema.name',
        });
      const replaceNull = config.boolean('replace.null.with.default');
      const plans = new PerSchema((schema) => ({
        schema: renamed(schema, name, version),
        nulls: nullRuleOf(schema, replaceNull),
      }));
      return {
        apply: (record) => {
          const value = part.value(record) ?? null;
          const schema = part.schema(record);
          if (schema === null) {
            if (value === null) return record;
            throw new DataError('SetSchemaMetadata needs a schema, and there is none', { code: 'NO_SCHEMA' });
          }
          const plan = plans.of(schema);
          if (schema.type !== 'STRUCT' || value === null) return part.replace(record, plan.schema, value);
          const fields = copyFields(requireFields(value, schema, 'SetSchemaMetadata'));
          settleNulls(fields, plan.nulls);
          return part.replace(record, plan.schema, fields);
        },
      };
    },
  };
}

function renamed(schema: Schema, name: string | null, version: number | null): Schema {
  const builder = SchemaBuilder.from(schema);
  if (name !== null) builder.name(name);
  if (version !== null) builder.version(version);
  return builder.build();
}

export const Key = { type: 'transformation', plugin: setSchemaMetadata(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: setSchemaMetadata(VALUE) } satisfies Plugin;
