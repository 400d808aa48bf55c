/** Transforms come in two forms, for the key and for the value of a record, as in Kafka Connect. */
import {
  DataError,
  describeValue,
  fieldOf,
  isFields,
  SchemaBuilder,
  setField,
  withKey,
  withValue,
} from '../sdk/index.js';
import type { ConfigKey, ConnectRecord, Fields, Schema } from '../sdk/index.js';

/** The part of a record that a transform works on. */
export interface Part {
  readonly name: 'Key' | 'Value';
  schema(record: ConnectRecord): Schema | null;
  value(record: ConnectRecord): unknown;
  replace<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R;
}

export const KEY: Part = {
  name: 'Key',
  schema: (record) => record.keySchema,
  value: (record) => record.key,
  replace: withKey,
};

export const VALUE: Part = {
  name: 'Value',
  schema: (record) => record.valueSchema,
  value: (record) => record.value,
  replace: withValue,
};

/** The value as a struct, or as an object without a schema. `purpose` completes "… for". */
export function requireFields(value: unknown, schema: Schema | null, purpose: string): Fields {
  if (isFields(value) && (schema === null || schema.type === 'STRUCT')) return value;
  if (value === null || value === undefined) {
    throw new DataError(
      `${purpose} needs fields, and there are none in a null, such as the value of a tombstone: leave such records out by a predicate of type RecordIsTombstone with negate=true on this transform`,
      { code: 'NOT_A_STRUCT' },
    );
  }
  const wanted = schema === null ? 'an object' : 'a struct';
  throw new DataError(
    `${purpose} needs ${wanted}, not ${describeValue(value)}: hoist the value into a field first`,
    {
      code: 'NOT_A_STRUCT',
    },
  );
}

/** A required struct with the name, version, doc and parameters of another, without its fields. */
export function structLike(schema: Schema): SchemaBuilder {
  return SchemaBuilder.basics(schema).required().default(undefined);
}

/** The key that decides whether a null is carried on as the default of its field. */
export const REPLACE_NULL_KEY: ConfigKey = {
  name: 'replace.null.with.default',
  type: 'BOOLEAN',
  defaultValue: 'true',
  importance: 'MEDIUM',
  documentation: 'Use the default of a field, where its schema has one, in place of null.',
};

/** What becomes of the nulls in the fields of a struct that is made anew. */
export interface NullRule {
  readonly defaults: readonly (readonly [name: string, value: unknown])[];
  /** Fields whose schema takes no null, and whose default is not to stand in for it. */
  readonly refused: readonly string[];
}

export const NO_NULL_RULE: NullRule = Object.freeze({ defaults: [], refused: [] });

/** `replaceNull`: as the key `replace.null.with.default` says. */
export function nullRuleOf(schema: Schema, replaceNull: boolean): NullRule {
  const withDefault = (schema.fields ?? []).filter((field) => field.schema.defaultValue !== undefined);
  return replaceNull
    ? { defaults: withDefault.map((field) => [field.name, field.schema.defaultValue]), refused: [] }
    : { defaults: [], refused: withDefault.flatMap((field) => (field.schema.optional ? [] : [field.name])) };
}

/** Puts defaults where a field is null or missing. DataError NULL_IN_FIELD where neither may be. */
export function settleNulls(fields: Record<string, unknown>, { defaults, refused }: NullRule): void {
  for (const [name, value] of defaults) {
    if ((fieldOf(fields, name) ?? null) === null) setField(fields, name, value);
  }
  for (const name of refused) if ((fieldOf(fields, name) ?? null) === null) throw nullInField(name);
}

export function nullInField(name: string): DataError {
  return new DataError(
    `the field ${name} is null, which its schema does not take: let its default stand there (replace.null.with.default=true)`,
    { code: 'NULL_IN_FIELD' },
  );
}

/** For `validator`: a list with at least one item, none of them empty. */
export function nonEmptyList(value: unknown): string | null {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.length > 0 && !items.includes('') ? null : 'must name at least one field';
}

/** For `validator`: a list without an empty item, as two commas in a row leave one. */
export function noEmptyItem(value: unknown): string | null {
  return Array.isArray(value) && value.includes('') ? 'must not have an empty item' : null;
}

/** For `validator`: null, or a text that is not empty. */
export function nonEmptyText(value: unknown): string | null {
  return value === '' ? 'must not be empty' : null;
}
