/** Schemas as JSON, in Kafka Connect's form. */
import {
  DataError,
  describeValue,
  fieldOf,
  isFields,
  jsonTooDeep,
  jsonString as quoted,
  MAX_JSON_DEPTH,
  SchemaBuilder,
} from '../../sdk/index.js';
import type {
  Fields,
  JsonReaders as ValueReaders,
  JsonWriters as ValueWriters,
  Schema,
  SchemaType,
} from '../../sdk/index.js';

const NAMES: Readonly<Record<SchemaType, string>> = {
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT32: 'float',
  FLOAT64: 'double',
  BOOLEAN: 'boolean',
  STRING: 'string',
  BYTES: 'bytes',
  ARRAY: 'array',
  MAP: 'map',
  STRUCT: 'struct',
};
const TYPES: ReadonlyMap<unknown, SchemaType> = new Map(
  (Object.keys(NAMES) as SchemaType[]).map((type) => [NAMES[type], type]),
);

/** `field`: the name it has in the struct around it. */
export function schemaText(schema: Schema, writers: ValueWriters, field?: string): string {
  const members = [`"type":"${NAMES[schema.type]}"`];
  const nested = (name: string, part: Schema | undefined): void => {
    if (part !== undefined) members.push(`"${name}":${schemaText(part, writers)}`);
  };
  if (schema.type === 'ARRAY') nested('items', schema.valueSchema);
  if (schema.type === 'MAP') {
    nested('keys', schema.keySchema);
    nested('values', schema.valueSchema);
  }
  if (schema.type === 'STRUCT') {
    const fields = (schema.fields ?? []).map((item) => schemaText(item.schema, writers, item.name));
    members.push(`"fields":[${fields.join(',')}]`);
  }
  members.push(`"optional":${schema.optional}`);
  if (schema.name !== undefined) members.push(`"name":${quoted(schema.name)}`);
  if (schema.version !== undefined) members.push(`"version":${schema.version}`);
  if (schema.doc !== undefined) members.push(`"doc":${quoted(schema.doc)}`);
  if (schema.parameters !== undefined) members.push(`"parameters":${JSON.stringify(schema.parameters)}`);
  if (schema.defaultValue !== undefined && schema.defaultValue !== null) {
    members.push(`"default":${writers.of(schema)(schema.defaultValue)}`);
  }
  if (field !== undefined) members.push(`"field":${quoted(field)}`);
  return `{${members.join(',')}}`;
}

/** Throws DataError BAD_SCHEMA, or NEEDS_EXACT where a default has more digits than JSON.parse keeps. */
export function readSchema(json: unknown, readers: ValueReaders, depth = 0): Schema {
  if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
  if (!isFields(json)) throw bad(`a schema must be an object, not ${describeValue(json)}`);
  const builder = builderOf(json, readers, depth);
  if (fieldOf(json, 'optional') === true) builder.optional();
  const name = member(json, 'name', 'string');
  if (name !== undefined) builder.name(name);
  const version = member(json, 'version', 'number');
  if (version !== undefined) {
    if (!Number.isInteger(version))
      throw bad(`the version of a schema must be a whole number, not ${version}`);
    builder.version(version);
  }
  const doc = member(json, 'doc', 'string');
  if (doc !== undefined) builder.doc(doc);
  readParameters(fieldOf(json, 'parameters'), builder);
  const defaultJson = fieldOf(json, 'default');
  if (defaultJson === undefined || defaultJson === null) return builder.build();
  return builder.default(readers.of(builder.build())(defaultJson)).build();
}

function builderOf(json: Fields, readers: ValueReaders, depth: number): SchemaBuilder {
  const part = (name: string): Schema => {
    const found = fieldOf(json, name);
    if (found === undefined) throw bad(`a schema of type ${String(json['type'])} must say its "${name}"`);
    return readSchema(found, readers, depth + 1);
  };
  const type = TYPES.get(fieldOf(json, 'type'));
  switch (type) {
    case undefined:
      throw bad(`a schema must have a "type", one of ${[...TYPES.keys()].join(', ')}`);
    case 'ARRAY':
      return SchemaBuilder.array(part('items'));
    case 'MAP':
      return SchemaBuilder.map(part('keys'), part('values'));
    case 'STRUCT':
      return readFields(fieldOf(json, 'fields'), readers, depth);
    default:
      return SchemaBuilder.of(type);
  }
}

function readFields(fields: unknown, readers: ValueReaders, depth: number): SchemaBuilder {
  if (!Array.isArray(fields)) throw bad('a schema of type struct must have an array "fields"');
  const builder = SchemaBuilder.struct();
  for (const field of fields as readonly unknown[]) {
    const name = isFields(field) ? fieldOf(field, 'field') : undefined;
    if (typeof name !== 'string') throw bad('each of the "fields" of a struct must have its name as "field"');
    builder.field(name, readSchema(field, readers, depth + 1));
  }
  return builder;
}

function readParameters(parameters: unknown, builder: SchemaBuilder): void {
  if (parameters === undefined || parameters === null) return;
  if (!isFields(parameters)) throw bad('the "parameters" of a schema must be an object of texts');
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'string') throw bad(`the schema parameter "${name}" must be a text`);
    builder.parameter(name, value);
  }
}

function member(json: Fields, name: string, type: 'string'): string | undefined;
function member(json: Fields, name: string, type: 'number'): number | undefined;
function member(json: Fields, name: string, type: 'string' | 'number'): unknown {
  const value = fieldOf(json, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type)
    throw bad(`the "${name}" of a schema must be a ${type}, not ${describeValue(value)}`);
  return value;
}

function bad(message: string): DataError {
  return new DataError(message, { code: 'BAD_SCHEMA' });
}
