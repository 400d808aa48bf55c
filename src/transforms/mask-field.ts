import { DataError, Decimal, describeValue, fieldOf, isFields, PerSchema, setField } from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import {
  defaultsOf,
  fillDefaults,
  KEY,
  nonEmptyList,
  nonEmptyText,
  REPLACE_NULL_KEY,
  requireFields,
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
      const defaults = new PerSchema((schema) => (replaceNull ? defaultsOf(schema) : []));
      return {
        apply: (record) => {
          const value = part.value(record);
          if (value === null || value === undefined) return record;
          const schema = part.schema(record);
          const updated: Record<string, unknown> = { ...requireFields(value, schema, 'MaskField') };
          if (schema !== null) fillDefaults(updated, defaults.of(schema));
          for (const name of names) {
            const found = fieldOf(updated, name);
            if (found !== null && found !== undefined)
              setField(updated, name, masked(found, typeOf(schema, name), replacement));
          }
          return part.replace(record, schema, updated);
        },
      };
    },
  };
}

function typeOf(schema: Schema | null, name: string): Schema | null {
  return schema?.fields?.find((field) => field.name === name)?.schema ?? null;
}

function masked(value: unknown, schema: Schema | null, replacement: string | null): unknown {
  return replacement === null ? emptyOf(value) : replaced(value, schema, replacement);
}

function emptyOf(value: unknown): unknown {
  if (typeof value === 'string') return '';
  if (typeof value === 'number' || typeof value === 'bigint') return 0;
  if (typeof value === 'boolean') return false;
  if (value instanceof Date) return new Date(0);
  if (value instanceof Decimal) return new Decimal(0n, value.scale);
  if (Array.isArray(value)) return [];
  if (value instanceof Map) return new Map();
  if (isFields(value)) return {};
  throw new DataError(`MaskField cannot mask ${describeValue(value)}`, { code: 'CANNOT_MASK' });
}

function replaced(value: unknown, schema: Schema | null, replacement: string): unknown {
  if (typeof value === 'string') return replacement;
  if (value instanceof Decimal) return Decimal.parse(replacement).withScale(value.scale);
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(replacement);
    const whole = typeof value === 'bigint' || schema?.type.startsWith('INT') === true;
    if (replacement.trim() !== '' && (whole ? Number.isSafeInteger(number) : !Number.isNaN(number)))
      return number;
    throw new DataError(
      `MaskField: "${replacement}" is not a ${whole ? 'whole ' : ''}number to replace a number with`,
      {
        code: 'CANNOT_MASK',
      },
    );
  }
  throw new DataError(`MaskField cannot put a replacement in the place of ${describeValue(value)}`, {
    code: 'CANNOT_MASK',
  });
}

export const Key = { type: 'transformation', plugin: maskField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: maskField(VALUE) } satisfies Plugin;
