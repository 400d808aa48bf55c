import { createRequire } from 'node:module';
import {
  prefixOf,
  PREFIX_BYTES,
  Registry,
  REGISTRY_KEYS,
  registryOptions,
  schemaIdOf,
  type RegistryOptions,
} from '@troupe/schema-registry';
import {
  DataError,
  describeValue,
  fieldOf,
  isFields,
  JsonReaders,
  JsonWriters,
  NEEDS_EXACT,
  parseExact,
  PerSchema,
} from '@troupe/sdk';
import type {
  Converter,
  ConverterInstance,
  Fields,
  JsonRead,
  JsonWrite,
  Plugin,
  Schema,
  SchemaAndValue,
} from '@troupe/sdk';
import type { Ajv, ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';
import { JsonSchemaMaker } from './from-connect.js';
import { ONE_OF } from './names.js';
import { connectSchemaOf } from './to-connect.js';

const GROUP = 'JSON Schema converter';
const NOTHING: SchemaAndValue = Object.freeze({ schema: null, value: null });

/** JSON in Confluent's wire format, with JSON Schemas in a registry. */
const converter: Converter = {
  version: '1.0.0',
  input: 'bytes',
  config: [
    ...REGISTRY_KEYS.filter(({ name }) => name !== 'use.latest.version'),
    {
      name: 'json.fail.invalid.schema',
      type: 'BOOLEAN',
      defaultValue: 'false',
      importance: 'MEDIUM',
      documentation:
        'Check each value that is written or read against its JSON Schema, too, and refuse what does not fit.',
      group: GROUP,
      displayName: 'Validate',
    },
    {
      name: 'decimal.format',
      type: 'STRING',
      defaultValue: 'BASE64',
      allowed: ['BASE64', 'NUMERIC'],
      anyCase: true,
      importance: 'LOW',
      documentation: 'How decimals are written: BASE64 of their bytes, or NUMERIC as numbers. Both are read.',
      group: GROUP,
      displayName: 'Decimal format',
    },
    {
      name: 'allow.additional.properties',
      type: 'BOOLEAN',
      defaultValue: 'true',
      importance: 'LOW',
      documentation: 'Whether the schemas that are registered allow other properties than theirs.',
      group: GROUP,
      displayName: 'Additional properties',
    },
  ],
  create: (config, options) =>
    new JsonSchemaConverter(registryOptions(config, { ...options, useLatest: false }), {
      decimalFormat: config.string('decimal.format') === 'NUMERIC' ? 'NUMERIC' : 'BASE64',
      additional: config.boolean('allow.additional.properties'),
      validates: config.boolean('json.fail.invalid.schema'),
    }),
};

interface JsonOptions {
  readonly decimalFormat: 'BASE64' | 'NUMERIC';
  readonly additional: boolean;
  readonly validates: boolean;
}

interface Output {
  readonly text: string;
  readonly recordName: string | null;
  readonly write: JsonWrite;
  readonly validate: ValidateFunction | null;
  readonly prefixes: LRUCache<string, Uint8Array>;
}

interface Input {
  readonly schema: Schema;
  readonly read: JsonRead;
  readonly validate: ValidateFunction | null;
}

/** Topics of one schema whose ids are kept. */
const MAX_TOPICS = 100;

class JsonSchemaConverter implements ConverterInstance {
  readonly #options: RegistryOptions;
  readonly #registry: Registry;
  readonly #writers: JsonWriters;
  readonly #readers = new JsonReaders(false, 'objects');
  readonly #outputs: PerSchema<Output>;
  readonly #inputs: LRUCache<number, Input>;

  constructor(options: RegistryOptions, { validates, ...json }: JsonOptions) {
    this.#options = options;
    this.#registry = new Registry(options, 'JSON');
    this.#writers = new JsonWriters({
      decimalFormat: json.decimalFormat,
      replaceNullWithDefault: true,
      mapEntries: 'objects',
    });
    const maker = new JsonSchemaMaker(json, this.#writers);
    const validator = validates ? validators() : () => null;
    this.#outputs = new PerSchema((schema) => {
      refuseChoices(schema);
      const text = maker.text(schema);
      return {
        text,
        recordName: schema.name ?? null,
        write: this.#writers.of(schema),
        validate: validator(text),
        prefixes: new LRUCache({ max: MAX_TOPICS }),
      };
    });
    this.#inputs = new LRUCache({ max: options.cacheSize });
    this.#inputOf = (id) => {
      const { text, references } = this.#registry.schema(id);
      if (references.length > 0)
        throw new DataError(`the schema ${id} refers to other subjects, which is not supported`, {
          code: 'BAD_JSON_SCHEMA',
        });
      const schema = connectSchemaOf(text, this.#readers);
      refuseChoices(schema);
      return { schema, read: this.#readers.of(schema), validate: validator(text) };
    };
  }

  readonly #inputOf: (id: number) => Input;

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null;
    if (schema === null)
      throw new DataError(
        `JsonSchemaConverter takes values with a schema, and ${describeValue(value)} has none: use JsonConverter with schemas.enable=false, or give it one`,
        { code: 'NEEDS_SCHEMA' },
      );
    const output = this.#outputs.of(schema);
    let prefix = output.prefixes.get(topic);
    if (prefix === undefined) {
      const subject = this.#options.subjectName(topic, output.recordName);
      prefix = prefixOf(this.#registry.idOf(subject, output.text));
      output.prefixes.set(topic, prefix);
    }
    const text = output.write(value);
    if (output.validate !== null) check(output.validate, JSON.parse(text));
    const bytes = Buffer.allocUnsafe(prefix.length + Buffer.byteLength(text));
    bytes.set(prefix);
    bytes.write(text, prefix.length, 'utf8');
    return bytes;
  }

  toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
    if (data === null) return NOTHING;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const id = schemaIdOf(bytes);
    let input = this.#inputs.get(id);
    if (input === undefined) {
      input = this.#inputOf(id);
      this.#inputs.set(id, input);
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', PREFIX_BYTES);
    const json = parsed(text);
    if (input.validate !== null) check(input.validate, json);
    try {
      return { schema: input.schema, value: input.read(json) };
    } catch (error) {
      if (error !== NEEDS_EXACT) throw error;
      return { schema: input.schema, value: input.read(parseExact(text)) };
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError('what follows the id of the schema is not JSON', { code: 'BAD_JSON' });
  }
}

/** Which of several a value is, JSON does not say. */
function refuseChoices(schema: Schema): void {
  if (schema.name === ONE_OF)
    throw new DataError('the schema has oneOf or anyOf with several types, which is not supported', {
      code: 'BAD_JSON_SCHEMA',
    });
  const parts = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map((field) => field.schema)];
  for (const part of parts) if (part !== undefined) refuseChoices(part);
}

/** ajv is loaded only where it is asked for. */
function validators(): (text: string) => ValidateFunction {
  const loaded = createRequire(import.meta.url)('ajv') as { readonly Ajv: new (options: object) => Ajv };
  const ajv = new loaded.Ajv({ strict: false, validateFormats: false, addUsedSchema: false });
  return (text) => {
    try {
      const json: unknown = JSON.parse(text);
      return ajv.compile(isFields(json) ? withoutDraft(json) : true);
    } catch (error) {
      throw new DataError(
        `the JSON Schema is not one: ${error instanceof Error ? error.message : String(error)}`,
        {
          code: 'BAD_JSON_SCHEMA',
          cause: error,
        },
      );
    }
  };
}

/** ajv knows draft 7 by itself, and refuses other names of it. */
function withoutDraft(json: Fields): Fields {
  return Object.fromEntries(
    Object.keys(json)
      .filter((name) => name !== '$schema')
      .map((name) => [name, fieldOf(json, name)]),
  );
}

function check(validate: ValidateFunction, json: unknown): void {
  if (validate(json)) return;
  const [first] = validate.errors ?? [];
  throw new DataError(
    `value${first?.instancePath.replaceAll('/', '.') ?? ''} does not fit its JSON Schema: it ${first?.message ?? 'is wrong'}`,
    { code: 'SCHEMA_MISMATCH' },
  );
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
