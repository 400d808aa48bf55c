import { DataError, logicalType, PerSchema, SchemaBuilder } from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { KEY, requireFields, VALUE, type Part } from './part.js';

/** Where schemas say how many digits a decimal may have; without it, as many as no system would refuse. */
const PRECISION = 'connect.decimal.precision';
const NO_PRECISION = 64;

/** Has the schemas of decimals say no more digits than a system takes. The numbers stay what they are. */
function setMaximumPrecision(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'precision.max',
        type: 'INT',
        min: 1,
        importance: 'HIGH',
        documentation: `The most digits that the parameter ${PRECISION} of a decimal's schema may say; one without it counts as ${NO_PRECISION}.`,
      },
    ],
    create: (config) => {
      const max = config.int('precision.max');
      const schemas = new PerSchema((schema) => limited(schema, max));
      return {
        apply: (record) => {
          const value = part.value(record) ?? null;
          const schema = part.schema(record);
          if (schema === null) {
            if (value === null) return record;
            throw new DataError('SetMaximumPrecision needs a schema, and there is none', {
              code: 'NO_SCHEMA',
            });
          }
          if (value !== null) requireFields(value, schema, 'SetMaximumPrecision');
          const updated = schemas.of(schema);
          return updated === schema ? record : part.replace(record, updated, value);
        },
      };
    },
  };
}

/** The same one, where none of its fields says more. */
function limited(schema: Schema, max: number): Schema {
  const fields = schema.fields ?? [];
  if (!fields.some((field) => isBeyond(field.schema, max))) return schema;
  const builder = SchemaBuilder.basics(schema);
  for (const { name, schema: field } of fields) {
    const says = isBeyond(field, max);
    builder.field(name, says ? SchemaBuilder.from(field).parameter(PRECISION, String(max)).build() : field);
  }
  return builder.build();
}

function isBeyond(schema: Schema, max: number): boolean {
  return logicalType(schema) === 'Decimal' && Number(schema.parameters?.[PRECISION] ?? NO_PRECISION) > max;
}

export const Key = { type: 'transformation', plugin: setMaximumPrecision(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: setMaximumPrecision(VALUE) } satisfies Plugin;
