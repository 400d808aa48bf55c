import { DataError, Decimal, describeValue, fieldOf, isFields, PerSchema, setField } from '../sdk/index.js';
import type { Plugin, Schema, SchemaType, Transform } from '../sdk/index.js';
import {
  KEY,
  nonEmptyList,
  nonEmptyText,
  nullRuleOf,
  REPLACE_NULL_KEY,
  requireFields,
  settleNulls,
  VALUE,
  type Part,
} from './part.js';

/** Puts the empty value of its type, or a replacement, in the place of a field's value. */
function maskField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'fields',
        type: 'LIST',
        importance: 'HIGH',
        documentation: 'Names of the fields to mask.',
        validator: nonEmptyList,
      },
      {
        name: 'replacement',
        type: 'STRING',
        defaultValue: null,
        importance: 'LOW',
        documentation: 'Written in place of numbers and texts. Without it numbers become 0 and texts empty.',
        validator: nonEmptyText,
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const names = config.list('fields');
      const replacement = config.stringOrNull('replacement');
      const replaceNull = config.boolean('replace.null.with.default');
      const nulls = new PerSchema((schema) => nullRuleOf(schema, replaceNull));
      const schemas = new PerSchema(
        (schema) => new Map(schema.fields?.map((field) => [field.name, field.schema])),
      );
      return {
        apply: (record) => {
          const value = part.value(record);
          if (value === null || value === undefined) return record;
          const schema = part.schema(record);
          const updated: Record<string, unknown> = { ...requireFields(value, schema, 'MaskField') };
          if (schema !== null) settleNulls(updated, nulls.of(schema));
          const known = schema === null ? null : schemas.of(schema);
          for (const name of names) {
            // As in Kafka Connect: a name that a schema does not have is passed over, without one it becomes null.
            const field = known?.get(name);
            if (known !== null && field === undefined) continue;
            const found = fieldOf(updated, name) ?? null;
            setField(updated, name, found === null ? null : masked(found, field ?? null, replacement));
          }
          return part.replace(record, schema, updated);
        },
      };
    },
  };
}

function masked(value: unknown, schema: Schema | null, replacement: string | null): unknown {
  return replacement === null ? emptyOf(value, schema) : replaced(value, schema, replacement);
}

function emptyOf(value: unknown, schema: Schema | null): unknown {
  if (typeof value === 'string') return '';
  if (typeof value === 'number' || typeof value === 'bigint') return 0;
  if (typeof value === 'boolean') return false;
  if (value instanceof Date) return new Date(0);
  if (value instanceof Decimal) return new Decimal(0n, value.scale);
  if (Array.isArray(value)) return [];
  if (value instanceof Map) return new Map();
  if (isFields(value) && schema?.type !== 'STRUCT') return {};
  throw cannot(
    `mask ${describeValue(value)}${schema?.type === 'STRUCT' ? ' that is a struct: leave it out' : ''}`,
  );
}

function replaced(value: unknown, schema: Schema | null, replacement: string): unknown {
  if (typeof value === 'string') return replacement;
  if (value instanceof Decimal) return numberOf(replacement).withScale(value.scale);
  if (typeof value === 'number' || typeof value === 'bigint') {
    const whole = schema === null ? !isFraction(value) : schema.type.startsWith('INT');
    if (whole) return wholeOf(replacement, schema);
    const number = Number(numberOf(replacement));
    return schema?.type === 'FLOAT32' ? Math.fround(number) : number;
  }
  throw cannot(`put a replacement in the place of ${describeValue(value)}`);
}

function isFraction(value: number | bigint): boolean {
  return typeof value === 'number' && !Number.isInteger(value);
}

function numberOf(replacement: string): Decimal {
  try {
    return Decimal.parse(replacement);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw cannot(`put "${replacement}" in the place of a number: it is none`);
  }
}

/** What follows the point is left out, as in Kafka Connect; what does not fit is refused, where it is cut off there. */
function wholeOf(replacement: string, schema: Schema | null): number | bigint {
  const { unscaled, scale } = numberOf(replacement);
  const power = 10n ** BigInt(Math.abs(scale));
  const whole = scale > 0 ? unscaled / power : unscaled * power;
  const bits = BITS.get(schema?.type) ?? 64;
  if (BigInt.asIntN(bits, whole) !== whole)
    throw cannot(`put "${replacement}" in the place of a number of ${bits} bits`);
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole;
}

const BITS: ReadonlyMap<SchemaType | undefined, number> = new Map([
  ['INT8', 8],
  ['INT16', 16],
  ['INT32', 32],
]);

function cannot(what: string): DataError {
  return new DataError(`MaskField cannot ${what}`, { code: 'CANNOT_MASK' });
}

export const Key = { type: 'transformation', plugin: maskField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: maskField(VALUE) } satisfies Plugin;
