/** Schemas of Connect as JSON Schemas, as Confluent's JsonSchemaData makes them. */
import { DataError, logicalType, type JsonWriters, type Schema } from '@troupe/sdk';
import { ENUM, INDEX, ONE_OF, PARAMETERS, TYPE, VERSION } from './names.js';

export interface FromConnectOptions {
  readonly decimalFormat: 'BASE64' | 'NUMERIC';
  /** Whether objects may have more properties than the schema's. */
  readonly additional: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const PRIMITIVES: Readonly<Partial<Record<Schema['type'], Json>>> = {
  INT8: { type: 'integer', [TYPE]: 'int8' },
  INT16: { type: 'integer', [TYPE]: 'int16' },
  INT32: { type: 'integer', [TYPE]: 'int32' },
  INT64: { type: 'integer', [TYPE]: 'int64' },
  FLOAT32: { type: 'number', [TYPE]: 'float32' },
  FLOAT64: { type: 'number', [TYPE]: 'float64' },
  BOOLEAN: { type: 'boolean' },
  STRING: { type: 'string' },
  BYTES: { type: 'string', [TYPE]: 'bytes' },
};

export class JsonSchemaMaker {
  readonly #options: FromConnectOptions;
  /** Of defaults. */
  readonly #writers: JsonWriters;

  constructor(options: FromConnectOptions, writers: JsonWriters) {
    this.#options = options;
    this.#writers = writers;
  }

  /** The text that is registered. */
  text(schema: Schema): string {
    return JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...this.#of(schema) });
  }

  #of(schema: Schema, index?: number): Json {
    const at = index === undefined ? {} : { [INDEX]: index };
    const base = this.#base(schema);
    if (!schema.optional) return { ...base, ...at };
    return { oneOf: [{ type: 'null' }, base], ...at };
  }

  #base(schema: Schema): Json {
    if (schema.type === 'STRUCT' && schema.name === ONE_OF)
      return { oneOf: (schema.fields ?? []).map((field) => this.#base(field.schema)), title: ONE_OF };
    return { ...this.#typeOf(schema), ...this.#metaData(schema) };
  }

  #typeOf(schema: Schema): Json {
    if (logicalType(schema) === 'Decimal' && this.#options.decimalFormat === 'NUMERIC')
      return { type: 'number', [TYPE]: 'bytes' };
    switch (schema.type) {
      case 'ARRAY':
        return { type: 'array', items: this.#of(part(schema, schema.valueSchema)) };
      case 'MAP': {
        const [keys, values] = [part(schema, schema.keySchema), part(schema, schema.valueSchema)];
        if (keys.type === 'STRING' && !keys.optional)
          return { type: 'object', [TYPE]: 'map', additionalProperties: this.#of(values) };
        const properties = { key: this.#of(keys, 0), value: this.#of(values, 1) };
        return { type: 'array', [TYPE]: 'map', items: { type: 'object', properties } };
      }
      case 'STRUCT':
        return {
          type: 'object',
          properties: Object.fromEntries(
            (schema.fields ?? []).map((field, i) => [field.name, this.#of(field.schema, i)]),
          ),
          ...(this.#options.additional ? {} : { additionalProperties: false }),
        };
      case 'STRING': {
        const prefix = `${ENUM}.`;
        const symbols = Object.entries(schema.parameters ?? {}).filter(([name]) => name.startsWith(prefix));
        return symbols.length === 0
          ? { type: 'string' }
          : { type: 'string', enum: symbols.map(([, symbol]) => symbol) };
      }
      default:
        return PRIMITIVES[schema.type] ?? {};
    }
  }

  #metaData(schema: Schema): Json {
    const { name, doc, version, parameters, defaultValue } = schema;
    return {
      ...(name === undefined ? {} : { title: name }),
      ...(doc === undefined ? {} : { description: doc }),
      ...(version === undefined ? {} : { [VERSION]: version }),
      ...(parameters === undefined ? {} : { [PARAMETERS]: parameters }),
      ...(defaultValue === undefined || defaultValue === null
        ? {}
        : { default: JSON.parse(this.#writers.of(schema)(defaultValue)) as unknown }),
    };
  }
}

function part(schema: Schema, found: Schema | undefined): Schema {
  if (found !== undefined) return found;
  throw new DataError(`a schema of type ${schema.type} lacks the schema of its parts`, {
    code: 'BAD_SCHEMA',
  });
}
