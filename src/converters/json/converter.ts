import { isUtf8 } from 'node:buffer';

import {
  ConfigError,
  DataError,
  fieldOf,
  isFields,
  JsonReaders as ValueReaders,
  JsonWriters as ValueWriters,
  NEEDS_EXACT,
  parseExact,
  PerSchema,
  plainNumbers,
  readSchemaless,
  writeSchemaless,
} from '../../sdk/index.js';
import type {
  Converter,
  ConverterInstance,
  JsonRead as Read,
  JsonWrite as Write,
  JsonWriteOptions as WriteOptions,
  Plugin,
  Schema,
  SchemaAndValue,
} from '../../sdk/index.js';
import { endOfObject } from './end-of-object.js';
import { readSchema, schemaText } from './schema-json.js';

const GROUP = 'JSON converter';

/** Kafka Connect's JSON: `{"schema":…,"payload":…}`, or the payload alone. */
const converter: Converter = {
  version: '1.0.0',
  input: 'text',
  config: [
    {
      name: 'schemas.enable',
      type: 'BOOLEAN',
      defaultValue: 'true',
      importance: 'HIGH',
      documentation:
        'Write each value as {"schema":…,"payload":…} and expect that form; false: plain JSON without schemas.',
      group: GROUP,
      displayName: 'Enable schemas',
    },
    {
      name: 'schemas.cache.size',
      type: 'INT',
      defaultValue: '1000',
      min: 0,
      max: 1_000_000,
      importance: 'HIGH',
      documentation: 'How many schemas of values read are kept, so that equal ones are parsed once.',
      group: GROUP,
      displayName: 'Schema cache size',
    },
    {
      name: 'schema.content',
      type: 'STRING',
      defaultValue: null,
      importance: 'HIGH',
      documentation:
        'With schemas.enable, the schema of every value that is read, as the JSON that would stand in "schema": values are then plain JSON. What is written is not affected.',
      group: GROUP,
      displayName: 'Schema content',
      validator: (value) => {
        try {
          givenSchema(typeof value === 'string' ? value : null);
          return null;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      },
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
      name: 'replace.null.with.default',
      type: 'BOOLEAN',
      defaultValue: 'true',
      importance: 'LOW',
      documentation: 'Use the default of a field, where it has one, in place of null.',
      group: GROUP,
      displayName: 'Replace null with default',
    },
  ],
  create: (config) =>
    new JsonConverter({
      envelope: config.boolean('schemas.enable'),
      given: givenSchema(config.stringOrNull('schema.content')),
      cacheSize: config.int('schemas.cache.size'),
      decimalFormat: config.string('decimal.format') === 'NUMERIC' ? 'NUMERIC' : 'BASE64',
      replaceNullWithDefault: config.boolean('replace.null.with.default'),
    }),
};

interface JsonOptions extends WriteOptions {
  readonly envelope: boolean;
  /** That of all values that are read with an envelope; null: each brings its own. */
  readonly given: Schema | null;
  readonly cacheSize: number;
}

interface Output {
  readonly prefix: string;
  readonly write: Write;
}

interface Input {
  readonly schema: Schema | null;
  readonly read: Read;
}

const SCHEMA_FIRST = '{"schema":';
const THEN_PAYLOAD = ',"payload":';
/** Topics rarely mix more schemas than this; others are found in the larger cache, after a full parse. */
const MAX_PREFIXES = 8;

class JsonConverter implements ConverterInstance {
  readonly #options: JsonOptions;
  readonly #writers: ValueWriters;
  readonly #readers: ValueReaders;
  readonly #given: Input | null;
  readonly #outputs: PerSchema<Output>;
  /** By the text of the schema; oldest out first. */
  readonly #inputs = new Map<string, Input>();
  /** How texts begin whose schema is known: only what follows needs to be parsed. */
  readonly #prefixes: { readonly prefix: string; readonly input: Input }[] = [];

  constructor(options: JsonOptions) {
    this.#options = options;
    this.#writers = new ValueWriters(options);
    this.#readers = new ValueReaders(options.replaceNullWithDefault);
    const { given } = options;
    this.#given = given === null ? null : { schema: given, read: this.#readers.of(given) };
    this.#outputs = new PerSchema((schema) => ({
      prefix: SCHEMA_FIRST + schemaText(schema, this.#writers) + THEN_PAYLOAD,
      write: this.#writers.of(schema),
    }));
  }

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): string | null {
    if (schema === null) {
      if (value === null || value === undefined) return null;
      const text = writeSchemaless(value, this.#options.decimalFormat);
      return this.#options.envelope ? `{"schema":null,"payload":${text}}` : text;
    }
    const { prefix, write } = this.#outputs.of(schema);
    return this.#options.envelope ? `${prefix}${write(value)}}` : write(value);
  }

  toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
    if (data === null) return { schema: null, value: null };
    const text = withoutMark(typeof data === 'string' ? data : decoded(data));
    if (text === '' && !this.#options.envelope) return { schema: null, value: null };
    if (!this.#options.envelope) return this.#plain(SCHEMALESS, text);
    if (this.#given !== null) return this.#plain(this.#given, text);
    return this.#fromPrefixed(text) ?? this.#fromEnvelope(text);
  }

  #plain(input: Input, text: string): SchemaAndValue {
    return { schema: input.schema, value: this.#read(input, parse(text), text) };
  }

  /** null: the text does not begin with a known schema, or is not what it seems. */
  #fromPrefixed(text: string): SchemaAndValue | null {
    for (const { prefix, input } of this.#prefixes) {
      // Comparing a slice takes half the time of startsWith.
      if (text.slice(0, prefix.length) !== prefix || !text.endsWith('}')) continue;
      const payload = text.slice(prefix.length, -1);
      let json: unknown;
      try {
        json = JSON.parse(payload);
      } catch {
        return null;
      }
      return { schema: input.schema, value: this.#read(input, json, payload) };
    }
    return null;
  }

  #read(input: Input, json: unknown, text: string): unknown {
    try {
      return input.read(json);
    } catch (error) {
      if (error !== NEEDS_EXACT) throw error;
      const exact = parseExact(text);
      return input.schema === null ? plainNumbers(exact) : input.read(exact);
    }
  }

  #fromEnvelope(text: string): SchemaAndValue {
    const json = parse(text);
    const { schema, payload } = envelopeOf(json);
    try {
      const input = this.#input(schema);
      this.#remember(text, input);
      return { schema: input.schema, value: input.read(payload) };
    } catch (error) {
      if (error !== NEEDS_EXACT) throw error;
      const exact = envelopeOf(parseExact(text));
      const input = this.#input(exact.schema, schema);
      const value = input.schema === null ? plainNumbers(exact.payload) : input.read(exact.payload);
      return { schema: input.schema, value };
    }
  }

  /** `key`: the schema as JSON.parse gave it, which names it in the cache. */
  #input(json: unknown, key: unknown = json): Input {
    if (json === null) return SCHEMALESS;
    const name = JSON.stringify(key);
    const known = this.#inputs.get(name);
    if (known !== undefined) return known;
    const schema = readSchema(json, this.#readers);
    const input = { schema, read: this.#readers.of(schema) };
    // Where a default has so many digits that JSON.parse may round it, the name may stand for several schemas.
    if (this.#options.cacheSize === 0 || /\d{16}/.test(name)) return input;
    const [oldest] = this.#inputs.keys();
    if (this.#inputs.size >= this.#options.cacheSize && oldest !== undefined) this.#inputs.delete(oldest);
    this.#inputs.set(name, input);
    return input;
  }

  #remember(text: string, input: Input): void {
    if (input.schema === null || !text.startsWith(SCHEMA_FIRST)) return;
    const end = endOfObject(text, SCHEMA_FIRST.length);
    if (!text.startsWith(THEN_PAYLOAD, end)) return;
    // A copy: a slice would keep alive the batch that the text is a part of.
    const prefix = Buffer.from(text.slice(0, end + THEN_PAYLOAD.length)).toString();
    if (this.#options.cacheSize === 0 || /\d{16}/.test(prefix)) return;
    if (this.#prefixes.length === MAX_PREFIXES) this.#prefixes.shift();
    this.#prefixes.push({ prefix, input });
  }
}

const SCHEMALESS: Input = { schema: null, read: readSchemaless };

function decoded(bytes: Uint8Array): string {
  if (!isUtf8(bytes))
    throw new DataError('the value is not JSON: its bytes are no UTF-8', { code: 'BAD_JSON' });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Some programs on Windows begin UTF-8 with a byte order mark. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Throws ConfigError. */
function givenSchema(text: string | null): Schema | null {
  if (text === null || text === '') return null;
  try {
    const readers = new ValueReaders(true);
    try {
      return readSchema(parse(text), readers);
    } catch (error) {
      if (error !== NEEDS_EXACT) throw error;
      return readSchema(parseExact(text), readers);
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new ConfigError(`must be a schema as JSON: ${error.message}`, {
      field: 'schema.content',
      cause: error,
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = error instanceof Error ? /at position \d+/.exec(error.message)?.[0] : undefined;
    throw new DataError(`the value is not JSON${where === undefined ? '' : `: wrong ${where}`}`, {
      code: 'BAD_JSON',
    });
  }
}

function envelopeOf(json: unknown): { readonly schema: unknown; readonly payload: unknown } {
  const schema = isFields(json) ? fieldOf(json, 'schema') : undefined;
  const payload = isFields(json) ? fieldOf(json, 'payload') : undefined;
  if (schema === undefined || payload === undefined || !isFields(json) || Object.keys(json).length !== 2) {
    throw new DataError(
      'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields: ' +
        'for plain JSON set schemas.enable=false in the configuration of the converter',
      { code: 'NO_ENVELOPE' },
    );
  }
  return { schema, payload };
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
