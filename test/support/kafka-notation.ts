/**
 * Schemas and values as the tables of cases beside the tests have them, which say what Kafka Connect's classes did.
 *
 * A schema is null, `"int64"`, `"int64?"` where it is optional, or an object: `{"type":"struct?","fields":{"id":"int64"},
 * "default":…,"name":…}`, with `keys` and `items` for maps and arrays. `date`, `time`, `timestamp` and `decimal:2` are the
 * logical types. With a schema a value is its JSON: bytes as base64, times as milliseconds, decimals as text, maps as
 * pairs. Without one `{"$date":…}`, `{"$dec":…}`, `{"$bytes":…}` and `{"$map":[…]}`, of pairs, stand for what JSON has not.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  DATE_NAME,
  Decimal,
  DECIMAL_NAME,
  decimalScale,
  decimalSchema,
  fieldOf,
  isFields,
  logicalType,
  parseJson,
  SchemaBuilder,
  setField,
  TIME_NAME,
  TIMESTAMP_NAME,
  type Fields,
  type Schema,
  type SchemaType,
} from '#troupe/sdk/index.js';

/** The lines of a table; other lines than objects are for readers. `file`: from the root of the repository. */
export function readCases(file: string): readonly Fields[] {
  const url = new URL(`../${file}`, import.meta.resolve('#troupe/supervisor.js'));
  return readFileSync(url, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map(parseCase);
}

function parseCase(line: string): Fields {
  return object(parseJson(line));
}

export function schemaOf(json: unknown): Schema | null {
  if (json === null || json === undefined) return null;
  if (typeof json === 'string') return schemaOf({ type: json });
  const given = object(json);
  const [, type = '', optional] = /^([a-z0-9:-]+?)(\?)?$/.exec(text(given['type'])) ?? [];
  const builder = builderOf(type, given);
  if (optional !== undefined) builder.optional();
  if (given['name'] !== undefined) builder.name(text(given['name']));
  if (given['version'] !== undefined) builder.version(Number(given['version']));
  if (given['doc'] !== undefined) builder.doc(text(given['doc']));
  for (const [name, value] of Object.entries(object(given['parameters'] ?? {})))
    builder.parameter(name, text(value));
  if (given['default'] !== undefined) builder.default(valueOf(builder.build(), given['default']));
  return builder.build();
}

function builderOf(type: string, given: Fields): SchemaBuilder {
  const nested = (name: string): Schema => {
    const schema = schemaOf(given[name]);
    assert.ok(schema !== null, `a schema of type ${type} lacks ${name}`);
    return schema;
  };
  if (type.startsWith('decimal:')) return decimalSchema(Number(type.slice(8)));
  switch (type) {
    case 'date':
      return SchemaBuilder.of('INT32').name(DATE_NAME).version(1);
    case 'time':
      return SchemaBuilder.of('INT32').name(TIME_NAME).version(1);
    case 'timestamp':
      return SchemaBuilder.of('INT64').name(TIMESTAMP_NAME).version(1);
    case 'array':
      return SchemaBuilder.array(nested('items'));
    case 'map':
      return SchemaBuilder.map(nested('keys'), nested('items'));
    case 'struct': {
      const builder = SchemaBuilder.struct();
      for (const [name, field] of Object.entries(object(given['fields']))) {
        const schema = schemaOf(field);
        assert.ok(schema !== null);
        builder.field(name, schema);
      }
      return builder;
    }
    default:
      // The table has Kafka's names in small letters; what is none of them fails where it is used.
      return SchemaBuilder.of(type.toUpperCase() as Exclude<SchemaType, 'ARRAY' | 'MAP'>);
  }
}

export function valueOf(schema: Schema | null, json: unknown): unknown {
  if (json === null || json === undefined) return null;
  if (schema === null) return plainOf(json);
  switch (logicalType(schema)) {
    case 'Decimal':
      return Decimal.parse(text(json));
    case null:
      break;
    default:
      return new Date(Number(json));
  }
  switch (schema.type) {
    case 'FLOAT32':
    case 'FLOAT64':
      return Number(json);
    case 'BYTES':
      return new Uint8Array(Buffer.from(text(json), 'base64'));
    case 'ARRAY':
      // Of a header's nested arrays Kafka tells the schema that some of them have.
      if (!Array.isArray(json)) return plainOf(json);
      return json.map((item) => valueOf(schema.valueSchema ?? null, item));
    case 'MAP':
      if (!Array.isArray(json)) return plainOf(json);
      return new Map(
        list(json).map((pair) => {
          const [key, item] = list(pair);
          return [valueOf(schema.keySchema ?? null, key), valueOf(schema.valueSchema ?? null, item)];
        }),
      );
    case 'STRUCT': {
      const fields: Record<string, unknown> = {};
      for (const { name, schema: fieldSchema } of schema.fields ?? []) {
        const item = fieldOf(object(json), name);
        if (item !== undefined) setField(fields, name, valueOf(fieldSchema, item));
      }
      return fields;
    }
    default:
      return json;
  }
}

/** As a record has it: an object where all keys are texts. */
function mapOf(pairs: readonly unknown[]): unknown {
  const entries = pairs.map((pair) => list(pair).map(plainOf));
  if (!entries.every(([key]) => typeof key === 'string')) return new Map(entries as [unknown, unknown][]);
  const fields: Record<string, unknown> = {};
  for (const [key, item] of entries) setField(fields, String(key), item);
  return fields;
}

function plainOf(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plainOf);
  if (!isFields(json)) return json;
  if ('$date' in json) return new Date(Number(json['$date']));
  if ('$dec' in json) return Decimal.parse(text(json['$dec']));
  if ('$map' in json) return mapOf(list(json['$map']));
  if ('$bytes' in json) return new Uint8Array(Buffer.from(text(json['$bytes']), 'base64'));
  const fields: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(json)) setField(fields, name, plainOf(item));
  return fields;
}

/** One text for equal schemas. */
export function schemaText(schema: Schema | null): string {
  if (schema === null) return 'none';
  const { type, optional, defaultValue, fields, keySchema, valueSchema, ...rest } = schema;
  const logical = logicalType(schema);
  const decimal = schema.name === DECIMAL_NAME && logical !== null ? `:${decimalScale(schema)}` : '';
  const parts = [
    `${type}${decimal}${optional ? '?' : ''}`,
    ...Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    ...(defaultValue === undefined || defaultValue === null
      ? []
      : [`default=${valueText(schema, defaultValue)}`]),
    ...(fields ?? []).map(({ name, schema: field }) => `${name}: ${schemaText(field)}`),
    ...(keySchema === undefined ? [] : [`keys: ${schemaText(keySchema)}`]),
    ...(valueSchema === undefined ? [] : [`items: ${schemaText(valueSchema)}`]),
  ];
  return `(${parts.join(', ')})`;
}

/** One text for equal values: the fields of a struct are those of its schema, and what is missing is null. */
export function valueText(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Decimal) return `decimal ${value.unscaled} scale ${value.scale}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (typeof value === 'bigint' || typeof value === 'number')
    return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value))
    return `[${value.map((item) => valueText(schema?.valueSchema ?? null, item)).join(', ')}]`;
  if (schema?.type === 'STRUCT' && isFields(value)) {
    const known = (schema.fields ?? []).map(
      (field) => `${field.name}: ${valueText(field.schema, fieldOf(value, field.name))}`,
    );
    const others = Object.keys(value).filter(
      (name) => schema.fields?.some((field) => field.name === name) !== true,
    );
    return `{${[...known, ...others.map((name) => `UNKNOWN ${name}`)].join(', ')}}`;
  }
  if (value instanceof Map || isFields(value)) {
    const entries: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...value] : Object.entries(value);
    const texts = entries.map(
      ([key, item]) =>
        `${valueText(schema?.keySchema ?? null, key)}: ${valueText(schema?.valueSchema ?? null, item)}`,
    );
    return `{${texts.sort().join(', ')}}`;
  }
  return JSON.stringify(value);
}

export function object(json: unknown): Fields {
  assert.ok(isFields(json), 'an object is wanted');
  return json;
}

export function list(json: unknown): readonly unknown[] {
  assert.ok(Array.isArray(json), 'a list is wanted');
  return json;
}

export function text(json: unknown): string {
  assert.ok(typeof json === 'string', 'a text is wanted');
  return json;
}

/** The notation of a schema, in the form of an object throughout: what `schemaOf` reads, and programs in Java as well. */
export function schemaNotation(schema: Schema | null): unknown {
  if (schema === null) return null;
  const { type, optional, name, version, doc, parameters, defaultValue, fields, keySchema, valueSchema } =
    schema;
  const named: Record<string, unknown> = {};
  for (const field of fields ?? []) setField(named, field.name, schemaNotation(field.schema));
  return {
    type: `${type.toLowerCase()}${optional ? '?' : ''}`,
    name,
    version,
    doc,
    parameters,
    ...(fields === undefined ? {} : { fields: named }),
    ...(keySchema === undefined ? {} : { keys: schemaNotation(keySchema) }),
    ...(valueSchema === undefined ? {} : { items: schemaNotation(valueSchema) }),
    ...(defaultValue === undefined ? {} : { default: valueNotation(schema, defaultValue) }),
  };
}

/** The notation of a value; bigints stand in it as they are, for `notationText`. */
export function valueNotation(schema: Schema | null, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return schema === null ? { $date: value.getTime() } : value.getTime();
  if (value instanceof Decimal) return schema === null ? { $dec: value.toString() } : value.toString();
  if (value instanceof Uint8Array) {
    const base64 = Buffer.from(value).toString('base64');
    return schema === null ? { $bytes: base64 } : base64;
  }
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return schema === null ? -0.0 : '-0.0';
    return Number.isFinite(value) ? value : String(value);
  }
  if (Array.isArray(value))
    return value.map((item: unknown) => valueNotation(schema?.valueSchema ?? null, item));
  if (schema?.type === 'STRUCT' || (schema === null && isFields(value))) {
    const fields: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(object(value)))
      setField(
        fields,
        name,
        valueNotation(schema?.fields?.find((field) => field.name === name)?.schema ?? null, item),
      );
    return fields;
  }
  if (!(value instanceof Map) && !isFields(value)) return value;
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value] : Object.entries(value);
  const pairs = entries.map(([key, item]) => [
    valueNotation(schema?.keySchema ?? null, key),
    valueNotation(schema?.valueSchema ?? null, item),
  ]);
  return schema === null ? { $map: pairs } : pairs;
}

/** One line of JSON, in which bigints are numbers. */
export function notationText(json: unknown): string {
  if (typeof json === 'bigint') return String(json);
  if (Object.is(json, -0)) return '-0.0';
  if (Array.isArray(json)) return `[${json.map(notationText).join(',')}]`;
  if (!isFields(json)) return JSON.stringify(json) ?? 'null';
  const members = Object.entries(json).filter(([, item]) => item !== undefined);
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${notationText(item)}`).join(',')}}`;
}
