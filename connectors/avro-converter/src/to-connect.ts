/** Avro's schemas as Connect's, as Confluent's AvroData makes them. */
import {
  DataError,
  DATE_SCHEMA,
  decimalSchema,
  fieldOf,
  isFields,
  SchemaBuilder,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
  type Schema,
} from '@troupe/sdk';
import type { AvroType } from './avro-schema.js';
import { defaultOf } from './default-json.js';
import { logicalOf, scaleOf } from './logical.js';
import {
  DEFAULT_NAME,
  DEFAULT_PRECISION,
  DEFAULT_PROP,
  DOC_PROP,
  ENUM,
  FIXED_SIZE,
  INTERNAL_TYPE_PROP,
  NAME_PROP,
  PARAMETERS_PROP,
  PRECISION,
  TYPE_PROP,
  UNION,
  VERSION_PROP,
} from './names.js';

interface Of {
  readonly optional?: boolean;
  /** Of the field. */
  readonly doc?: string | null;
  readonly defaultJson?: unknown;
}

export function connectSchemaOf(
  type: AvroType,
  { optional = false, doc = null, defaultJson }: Of = {},
): Schema {
  if (type.kind === 'union') return unionSchema(type, { optional, doc, defaultJson });
  const builder = builderOf(type);
  if (optional) builder.optional();
  addMetaData(builder, type, doc);
  const given = defaultJson ?? fieldOf(type.props, DEFAULT_PROP);
  const defaultValue = defaultOf(type, given);
  return defaultValue === undefined ? builder.build() : builder.default(defaultValue).build();
}

function builderOf(type: Exclude<AvroType, { kind: 'union' }>): SchemaBuilder {
  switch (logicalOf(type)) {
    case 'Date':
      return SchemaBuilder.from(DATE_SCHEMA);
    case 'Time':
      return SchemaBuilder.from(TIME_SCHEMA);
    case 'Timestamp':
      return SchemaBuilder.from(TIMESTAMP_SCHEMA);
    case 'Decimal':
      return withPrecision(decimalSchema(scaleOf(type)), fieldOf(type.props, 'precision'));
    case null:
      break;
  }
  switch (type.kind) {
    case 'null':
      throw new DataError(
        'the Avro schema has a null that is no part of a union, for which there is no type',
        {
          code: 'BAD_AVRO_SCHEMA',
        },
      );
    case 'boolean':
      return SchemaBuilder.of('BOOLEAN');
    case 'int': {
      const named = fieldOf(type.props, TYPE_PROP);
      return SchemaBuilder.of(named === 'int8' ? 'INT8' : named === 'int16' ? 'INT16' : 'INT32');
    }
    case 'long':
      return SchemaBuilder.of('INT64');
    case 'float':
      return SchemaBuilder.of('FLOAT32');
    case 'double':
      return SchemaBuilder.of('FLOAT64');
    case 'string':
      return SchemaBuilder.of('STRING');
    case 'bytes':
      return SchemaBuilder.of('BYTES');
    case 'fixed':
      return SchemaBuilder.of('BYTES').parameter(FIXED_SIZE, String(type.size));
    case 'enum': {
      const builder = SchemaBuilder.of('STRING').parameter(ENUM, type.fullName);
      for (const symbol of type.symbols) builder.parameter(`${ENUM}.${symbol}`, symbol);
      return builder;
    }
    case 'array': {
      const entry = mapEntryOf(type);
      if (entry !== null) return SchemaBuilder.map(connectSchemaOf(entry.key), connectSchemaOf(entry.value));
      return SchemaBuilder.array(connectSchemaOf(type.items));
    }
    case 'map':
      return SchemaBuilder.map(STRING_SCHEMA, connectSchemaOf(type.values));
    case 'record': {
      const builder = SchemaBuilder.struct();
      for (const { name, type: field, doc, default: json } of type.fields)
        builder.field(name, connectSchemaOf(field, { doc, defaultJson: json }));
      return builder;
    }
  }
}

/** Precision is a parameter where it is not what is written without one. */
function withPrecision(builder: SchemaBuilder, precision: unknown): SchemaBuilder {
  return typeof precision === 'number' && precision !== DEFAULT_PRECISION
    ? builder.parameter(PRECISION, String(precision))
    : builder;
}

/** Of an array that stands for a map whose keys are no texts. */
export function mapEntryOf(type: AvroType): { readonly key: AvroType; readonly value: AvroType } | null {
  if (type.kind !== 'array' || type.items.kind !== 'record') return null;
  if (fieldOf(type.items.props, INTERNAL_TYPE_PROP) !== 'MapEntry') return null;
  const [key, value] = type.items.fields;
  return key === undefined || value === undefined ? null : { key: key.type, value: value.type };
}

function unionSchema(
  { branches }: Extract<AvroType, { kind: 'union' }>,
  { optional = false, doc = null, defaultJson }: Of,
): Schema {
  const others = branches.filter(({ kind }) => kind !== 'null');
  const [only] = others;
  const nullable = optional || others.length < branches.length;
  if (only !== undefined && others.length === 1)
    return connectSchemaOf(only, { optional: nullable, doc, defaultJson });
  const builder = SchemaBuilder.struct().name(UNION);
  if (nullable) builder.optional();
  if (doc !== null) builder.doc(doc);
  for (const branch of others) builder.field(branchName(branch), connectSchemaOf(branch, { optional: true }));
  return builder.build();
}

/** Of the field of a branch in the struct of a union. */
export function branchName(type: AvroType): string {
  if (type.kind !== 'record' && type.kind !== 'enum' && type.kind !== 'fixed') return type.kind;
  return type.fullName.slice(type.fullName.lastIndexOf('.') + 1);
}

function addMetaData(builder: SchemaBuilder, type: AvroType, fieldDoc: string | null): void {
  const { props } = type;
  const doc = fieldDoc ?? fieldOf(props, 'doc') ?? fieldOf(props, DOC_PROP);
  if (typeof doc === 'string') builder.doc(doc);
  const version = fieldOf(props, VERSION_PROP);
  if (typeof version === 'number' && Number.isInteger(version)) builder.version(version);
  const parameters = fieldOf(props, PARAMETERS_PROP);
  if (isFields(parameters))
    for (const [name, value] of Object.entries(parameters))
      if (typeof value === 'string') builder.parameter(name, value);
  const name =
    fieldOf(props, NAME_PROP) ?? ('fullName' in type && type.kind !== 'enum' ? type.fullName : undefined);
  if (typeof name === 'string' && name !== DEFAULT_NAME) builder.name(name);
}
