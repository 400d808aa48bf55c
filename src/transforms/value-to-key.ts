import { DataError, fieldOf, PerSchema, SchemaBuilder, setField, withKey } from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { nonEmptyList, nullRuleOf, REPLACE_NULL_KEY, requireFields, settleNulls } from './part.js';

/** Makes the key of fields of the value. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'fields',
      type: 'LIST',
      importance: 'HIGH',
      documentation: 'Names of the fields of the value that become the key.',
      validator: nonEmptyList,
    },
    REPLACE_NULL_KEY,
  ],
  create: (config) => {
    const names = [...new Set(config.list('fields'))];
    const replaceNull = config.boolean('replace.null.with.default');
    const plans = new PerSchema((valueSchema) => {
      const schema = keySchema(valueSchema, names);
      return { schema, nulls: nullRuleOf(schema, replaceNull) };
    });
    return {
      apply: (record) => {
        const { value, valueSchema } = record;
        const fields = requireFields(value, valueSchema, 'ValueToKey');
        const key: Record<string, unknown> = {};
        for (const name of names) setField(key, name, fieldOf(fields, name) ?? null);
        if (valueSchema === null) return withKey(record, null, key);
        const { schema, nulls } = plans.of(valueSchema);
        settleNulls(key, nulls);
        return withKey(record, schema, key);
      },
    };
  },
};

function keySchema(schema: Schema, names: readonly string[]): Schema {
  const builder = SchemaBuilder.struct();
  for (const name of names) {
    const found = schema.fields?.find((field) => field.name === name);
    if (found === undefined) {
      throw new DataError(`ValueToKey: the schema of the value has no field ${name}`, {
        code: 'NO_SUCH_FIELD',
      });
    }
    builder.field(name, found.schema);
  }
  return builder.build();
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
