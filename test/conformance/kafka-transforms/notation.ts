/**
 * Records as KafkaTransforms.java reads and writes them: `[schema, value]` pairs. A value tells what it is without its schema:
 * `{"$date":ms}`, `{"$dec":"1.50"}`, `{"$bytes":base64}`, `{"$num":"NaN"}`, `{"$struct":[[name, value]…]}`, `{"$map":[[key, value]…]}`.
 */
import { Buffer } from 'node:buffer';
import {
  Decimal,
  decimalText,
  fieldOf,
  isFields,
  isSinkRecord,
  parseJson,
  setField,
  sourceRecord,
  type ConnectRecord,
  type Fields,
  type Schema,
  type SchemaAndValue,
  type SchemaType,
} from '#troupe/sdk/index.js';
import { list, object, schemaText, text, valueText } from '../../support/kafka-notation.js';

export interface Case {
  /** Without its package. */
  readonly do: string;
  readonly config: Readonly<Record<string, string>>;
  readonly record: ConnectRecord;
}

export function caseLine({ do: type, config, record }: Case): string {
  const { topic, queue, keySchema, key, valueSchema, value, timestamp, headers } = record;
  const json = {
    topic,
    queue,
    key: pairOf(keySchema, key),
    value: pairOf(valueSchema, value),
    timestamp,
    headers: headers.map((header) => [header.key, ...pairOf(header.schema, header.value)]),
    ...(isSinkRecord(record) ? { offset: record.offset } : {}),
  };
  return jsonText({ do: type, config, record: json });
}

/** A case from its line. */
export function caseOf(line: string): Case {
  const { do: type, config, record } = object(parseJson(line));
  const { topic, queue, key, value, timestamp, headers, offset } = object(record);
  const { schema: keySchema, value: keyValue } = pair(key);
  const { schema: valueSchema, value: valueValue } = pair(value);
  const fields = {
    topic: text(topic),
    queue: Number(queue),
    keySchema,
    key: keySchema === null ? plainOf(keyValue) : keyValue,
    valueSchema,
    value: valueSchema === null ? plainOf(valueValue) : valueValue,
    timestamp: timestamp === null ? null : Number(timestamp),
    headers: list(headers).map((header) => {
      const [name, ...rest] = list(header);
      return { key: text(name), ...pair(rest) };
    }),
  };
  return {
    do: text(type),
    config: textsOf(object(config)),
    record:
      offset === undefined
        ? sourceRecord({ ...fields, sourcePartition: {}, sourcePosition: {} })
        : { ...fields, ...{ offset: Number(offset) } },
  };
}

/** Without a schema a map with text keys is an object. */
function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  if (!(value instanceof Map)) return value;
  const fields: Record<string, unknown> = {};
  for (const [key, item] of value) setField(fields, text(key), plainOf(item));
  return fields;
}

export function pairOf(schema: Schema | null, value: unknown): readonly [unknown, unknown] {
  return [schemaJson(schema), valueJson(schema, value)];
}

/** What the oracle's answer comes to, as one text; see `recordText`. */
export function answerText(line: string): string {
  const answer = object(parseJson(line));
  if (answer['refuses'] !== undefined) return 'refused';
  if (answer['fails'] !== undefined) return 'fails';
  const gives = answer['gives'];
  if (gives === null) return 'dropped';
  if (typeof gives === 'boolean') return String(gives);
  const { topic, timestamp, headers, key, value } = object(gives);
  return textOf(
    topic,
    timestamp,
    pair(key),
    pair(value),
    list(headers).map((header) => {
      const [name, schema, item] = list(header);
      return [text(name), pair([schema, item])];
    }),
  );
}

/** Kafka's outcome of a line of the table: a case and what the oracle answered. */
export function readRecorded(line: string): { readonly its: Case; readonly kafka: string } {
  const [its = '', answer = ''] = line.split('\t');
  return { its: caseOf(its), kafka: answerText(answer) };
}

/** Of a `[schema, value]` pair that was given. */
export function pairText({ schema, value }: SchemaAndValue): string {
  return `${schemaText(schema)} ${valueText(schema, value)}`;
}

/** One text for equal records. */
export function recordText(record: ConnectRecord): string {
  const { topic, timestamp, keySchema, key, valueSchema, value, headers } = record;
  return textOf(
    topic,
    timestamp,
    { schema: keySchema, value: key },
    { schema: valueSchema, value },
    headers.map((header) => [header.key, header]),
  );
}

function textOf(
  topic: unknown,
  timestamp: unknown,
  key: SchemaAndValue,
  value: SchemaAndValue,
  headers: readonly (readonly [string, SchemaAndValue])[],
): string {
  return [
    `topic ${String(topic)}, timestamp ${String(timestamp)}`,
    `key ${pairText(key)}`,
    `value ${pairText(value)}`,
    ...headers.map(([name, header]) => `header ${JSON.stringify(name)} ${pairText(header)}`),
  ].join('\n');
}

export function pair(json: unknown): SchemaAndValue {
  const [schema, value] = list(json);
  return { schema: schemaOf(schema), value: valueOf(value) };
}

function schemaJson(schema: Schema | null): unknown {
  if (schema === null) return null;
  const { type, optional, name, version, doc, parameters, defaultValue, fields, keySchema, valueSchema } =
    schema;
  return {
    type,
    optional,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(doc === undefined ? {} : { doc }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(defaultValue === undefined ? {} : { default: valueJson(schema, defaultValue) }),
    ...(fields === undefined
      ? {}
      : { fields: fields.map((field) => [field.name, schemaJson(field.schema)]) }),
    ...(keySchema === undefined ? {} : { keys: schemaJson(keySchema) }),
    ...(valueSchema === undefined ? {} : { items: schemaJson(valueSchema) }),
  };
}

function schemaOf(json: unknown): Schema | null {
  if (json === null || json === undefined) return null;
  const {
    type,
    optional,
    name,
    version,
    doc,
    parameters,
    default: standIn,
    fields,
    keys,
    items,
  } = object(json);
  const keySchema = schemaOf(keys);
  const valueSchema = schemaOf(items);
  return {
    // The program has Kafka's names of the types, which are ours.
    type: text(type) as SchemaType,
    optional: optional === true,
    ...(name === undefined ? {} : { name: text(name) }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(doc === undefined ? {} : { doc: text(doc) }),
    ...(standIn === undefined ? {} : { defaultValue: valueOf(standIn) }),
    ...(parameters === undefined ? {} : { parameters: textsOf(object(parameters)) }),
    ...(fields === undefined ? {} : { fields: list(fields).map(fieldFrom) }),
    ...(keySchema === null ? {} : { keySchema }),
    ...(valueSchema === null ? {} : { valueSchema }),
  };
}

function fieldFrom(json: unknown): { readonly name: string; readonly schema: Schema } {
  const [name, schema] = list(json);
  const made = schemaOf(schema);
  if (made === null) throw new TypeError('a field without a schema');
  return { name: text(name), schema: made };
}

function textsOf(json: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, text(value)]));
}

function valueJson(schema: Schema | null, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $num: Object.is(value, -0) ? '-0.0' : String(value) };
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Decimal) return { $dec: decimalText(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map((item) => valueJson(schema?.valueSchema ?? null, item));
  if (schema?.type === 'STRUCT' && isFields(value)) {
    const present = (schema.fields ?? []).filter(({ name }) => fieldOf(value, name) !== undefined);
    return {
      $struct: present.map((field) => [field.name, valueJson(field.schema, fieldOf(value, field.name))]),
    };
  }
  if (value instanceof Map || isFields(value)) {
    const entries: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...value] : Object.entries(value);
    const { keySchema = null, valueSchema = null } = schema ?? {};
    return { $map: entries.map(([key, item]) => [valueJson(keySchema, key), valueJson(valueSchema, item)]) };
  }
  return value;
}

function valueOf(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(valueOf);
  if (!isFields(json)) return json;
  if ('$num' in json) return Number(json['$num']);
  if ('$date' in json) return new Date(Number(json['$date']));
  if ('$dec' in json) return Decimal.parse(text(json['$dec']));
  if ('$bytes' in json) return new Uint8Array(Buffer.from(text(json['$bytes']), 'base64'));
  if ('$map' in json)
    return new Map(
      list(json['$map']).map((entry) => {
        const [key, item] = list(entry);
        return [valueOf(key), valueOf(item)];
      }),
    );
  const fields: Record<string, unknown> = {};
  for (const field of list(json['$struct'])) {
    const [name, item] = list(field);
    setField(fields, text(name), valueOf(item));
  }
  return fields;
}

/** As JSON.stringify, but bigints keep their digits. */
export function jsonText(json: unknown): string {
  if (typeof json === 'bigint') return json.toString();
  if (Array.isArray(json)) return `[${json.map(jsonText).join(',')}]`;
  if (!isFields(json)) return JSON.stringify(json) ?? 'null';
  const fields = Object.entries(json).map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`);
  return `{${fields.join(',')}}`;
}
