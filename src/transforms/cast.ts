import {
  ConfigError,
  copyFields,
  DataError,
  fieldOf,
  logicalType,
  PerSchema,
  SchemaBuilder,
  setField,
} from '../sdk/index.js';
import type { Plugin, Schema, Transform } from '../sdk/index.js';
import { castValue, TARGETS, type Target } from './cast-value.js';
import {
  KEY,
  NO_NULL_RULE,
  nullRuleOf,
  REPLACE_NULL_KEY,
  requireFields,
  settleNulls,
  structLike,
  VALUE,
  type NullRule,
  type Part,
} from './part.js';

type Casts = ReadonlyMap<string, Target>;

/** What is done with the values of one schema. */
interface Plan {
  readonly schema: Schema;
  readonly nulls: NullRule;
  /** Of the fields that the schema has. */
  readonly casts: readonly (readonly [name: string, from: Schema, to: Target])[];
}

/** Makes fields, or the whole, values of another type. */
function cast(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'spec',
        type: 'LIST',
        importance: 'HIGH',
        documentation: `Fields and their new types, as name:type pairs, or one type for the whole: ${TARGETS.join(', ')}. Bytes become string only, in base64.`,
        validator: (value) => {
          const spec = parseSpec(Array.isArray(value) ? (value as readonly string[]) : []);
          return typeof spec === 'string' ? spec : null;
        },
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const spec = parseSpec(config.list('spec'));
      if (typeof spec === 'string') throw new ConfigError(`spec ${spec}`, { field: 'spec' });
      const replaceNull = config.boolean('replace.null.with.default');
      return 'whole' in spec ? castWhole(part, spec.whole) : castFields(part, spec.fields, replaceNull);
    },
  };
}

/** A reason where it is none. */
function parseSpec(
  items: readonly string[],
): { readonly whole: Target } | { readonly fields: Casts } | string {
  if (items.length === 0) return 'must name at least one field and its type';
  const fields = new Map<string, Target>();
  for (const item of items) {
    // As in Java's split, colons at the end are none.
    const parts = item.replace(/(?!^):+$/, '').split(':');
    const target = targetOf(parts.at(-1) ?? '');
    if (parts.length > 2 || target === null)
      return `must be name:type pairs, or one type, and a type one of ${TARGETS.join(', ')}, which "${item}" is not`;
    if (parts.length === 1) {
      return items.length === 1
        ? { whole: target }
        : 'must be one type for the whole, or fields with their types, not both';
    }
    fields.set((parts[0] ?? '').trim(), target);
  }
  return { fields };
}

function targetOf(text: string): Target | null {
  return TARGETS.find((type) => type === text.trim().toLowerCase()) ?? null;
}

function castWhole(part: Part, target: Target): ReturnType<Transform['create']> {
  const schemas = new PerSchema((schema) => {
    // The schema keeps its name, and a number is no default for a date.
    if (schema.defaultValue !== undefined && logicalType(schema) !== null)
      throw cannotCastDefault('the default of a logical type');
    const builder = SchemaBuilder.of(typeOf(target)).parameters(schema.parameters ?? {});
    if (schema.name !== undefined) builder.name(schema.name);
    if (schema.version !== undefined) builder.version(schema.version);
    if (schema.doc !== undefined) builder.doc(schema.doc);
    if (schema.optional) builder.optional();
    return builder.default(castDefault(schema, target)).build();
  });
  return {
    apply: (record) => {
      const value = part.value(record);
      if (value === null || value === undefined) return record;
      const schema = part.schema(record);
      const updated = schema === null ? null : schemas.of(schema);
      return part.replace(record, updated, castValue(schema, value, target));
    },
  };
}

function castFields(part: Part, casts: Casts, replaceNull: boolean): ReturnType<Transform['create']> {
  const plans = new PerSchema((schema) => planFor(schema, casts, replaceNull));
  return {
    apply: (record) => {
      const value = part.value(record);
      if (value === null || value === undefined) return record;
      const schema = part.schema(record);
      const fields = copyFields(requireFields(value, schema, 'Cast'));
      if (schema === null) {
        for (const [name, target] of casts)
          setField(fields, name, castValue(null, fieldOf(fields, name) ?? null, target));
        return part.replace(record, null, fields);
      }
      const plan = plans.of(schema);
      settleNulls(fields, plan.nulls);
      for (const [name, from, target] of plan.casts)
        setField(fields, name, castValue(from, fieldOf(fields, name) ?? null, target));
      return part.replace(record, plan.schema, fields);
    },
  };
}

function planFor(schema: Schema, casts: Casts, replaceNull: boolean): Plan {
  if (schema.defaultValue !== undefined)
    throw cannotCastDefault('the fields of a struct that has a default as a whole');
  const builder = structLike(schema);
  const planned: [string, Schema, Target][] = [];
  for (const { name, schema: from } of schema.fields ?? []) {
    const target = casts.get(name);
    if (target === undefined) {
      builder.field(name, from);
      continue;
    }
    const field = SchemaBuilder.of(typeOf(target));
    if (from.optional) field.optional();
    builder.field(name, field.default(castDefault(from, target)).build());
    planned.push([name, from, target]);
  }
  if (schema.optional) builder.optional();
  const nulls = schema.type === 'STRUCT' ? nullRuleOf(schema, replaceNull) : NO_NULL_RULE;
  return { schema: builder.build(), nulls, casts: planned };
}

function cannotCastDefault(what: string): DataError {
  return new DataError(`Cast cannot cast ${what}`, { code: 'CANNOT_CAST' });
}

function castDefault(schema: Schema, target: Target): unknown {
  return schema.defaultValue === undefined ? undefined : castValue(schema, schema.defaultValue, target);
}

function typeOf(target: Target): Uppercase<Target> {
  // The types have the same names in large letters.
  return target.toUpperCase() as Uppercase<Target>;
}

export const Key = { type: 'transformation', plugin: cast(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: cast(VALUE) } satisfies Plugin;
