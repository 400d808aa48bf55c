import {
  DataError,
  Decimal,
  describeValue,
  fieldOf,
  isFields,
  PerSchema,
  SchemaBuilder,
  setField,
} from '../sdk/index.js';
import type { Fields, Plugin, Schema, Transform } from '../sdk/index.js';
import { KEY, requireFields, structLike, VALUE, type Part } from './part.js';

/** One field of the new struct. */
interface Leaf {
  readonly name: string;
  /** The names on the way to it. */
  readonly path: readonly string[];
  /** For a null in it; not for the structs on the way, as in Kafka Connect. */
  readonly standIn: unknown;
}

/** Makes fields of structs in structs fields of the struct, with the names on the way joined to one. */
function flatten(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'delimiter',
        type: 'STRING',
        defaultValue: '.',
        importance: 'MEDIUM',
        documentation: 'What stands between the names of which a new one is made.',
      },
    ],
    create: (config) => {
      const delimiter = config.string('delimiter');
      const plans = new PerSchema((schema) => planFor(schema, delimiter));
      return {
        apply: (record) => {
          const value = part.value(record);
          if (value === null || value === undefined) return record;
          const schema = part.schema(record);
          const fields = requireFields(value, schema, 'Flatten');
          const flat: Record<string, unknown> = {};
          if (schema === null) {
            flattenInto(flat, fields, '', delimiter);
            return part.replace(record, null, flat);
          }
          const plan = plans.of(schema);
          for (const leaf of plan.leaves) setField(flat, leaf.name, valueAt(fields, leaf));
          return part.replace(record, plan.schema, flat);
        },
      };
    },
  };
}

function valueAt(fields: Fields, { path, standIn }: Leaf): unknown {
  let current: unknown = fields;
  for (const name of path) {
    if (!isFields(current)) return null;
    current = fieldOf(current, name);
  }
  return current ?? standIn ?? null;
}

function flattenInto(flat: Record<string, unknown>, fields: Fields, prefix: string, delimiter: string): void {
  for (const [key, value] of Object.entries(fields)) {
    const name = joined(prefix, key, delimiter);
    if (isFields(value)) flattenInto(flat, value, name, delimiter);
    else if (value instanceof Date || value instanceof Decimal || value instanceof Map)
      throw cannot(`${describeValue(value)} without a schema`, name);
    else setField(flat, name, value ?? null);
  }
}

/** As in Kafka Connect a part is taken as a prefix only where it is not empty. */
function joined(prefix: string, name: string, delimiter: string): string {
  return prefix === '' ? name : prefix + delimiter + name;
}

function planFor(
  schema: Schema,
  delimiter: string,
): { readonly schema: Schema; readonly leaves: readonly Leaf[] } {
  const builder = structLike(schema).required();
  const leaves: Leaf[] = [];
  const add = (
    parent: Schema,
    prefix: string,
    path: Leaf['path'],
    optional: boolean,
    inherited: unknown,
  ): void => {
    for (const { name: fieldName, schema: field } of parent.fields ?? []) {
      const name = joined(prefix, fieldName, delimiter);
      const mayBeNull = optional || field.optional;
      // The default of a struct has its own defaults where it says nothing of a field.
      const standIn =
        field.defaultValue ?? (isFields(inherited) ? fieldOf(inherited, fieldName) : null) ?? undefined;
      const here = [...path, fieldName];
      if (field.type === 'STRUCT') add(field, name, here, mayBeNull, standIn);
      else if (field.type === 'MAP') throw cannot('a map', name);
      else {
        builder.field(name, leafSchema(field, mayBeNull, standIn));
        leaves.push({ name, path: here, standIn: field.defaultValue });
      }
    }
  };
  add(schema, '', [], schema.optional, schema.defaultValue);
  return { schema: builder.build(), leaves };
}

function leafSchema(field: Schema, optional: boolean, standIn: unknown): Schema {
  const builder = SchemaBuilder.basics(field).default(standIn);
  return (optional ? builder.optional() : builder.required()).build();
}

function cannot(what: string, name: string): DataError {
  return new DataError(
    `Flatten takes no ${what} (in the field ${name}): leave it out by ReplaceField first`,
    {
      code: 'CANNOT_FLATTEN',
    },
  );
}

export const Key = { type: 'transformation', plugin: flatten(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: flatten(VALUE) } satisfies Plugin;
