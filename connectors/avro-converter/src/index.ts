import {
  prefixOf,
  PREFIX_BYTES,
  Registry,
  REGISTRY_KEYS,
  registryOptions,
  schemaIdOf,
  type RegisteredSchema,
  type RegistryOptions,
} from '@troupe/schema-registry';
import { DataError, describeValue, PerSchema } from '@troupe/sdk';
import type { Converter, ConverterInstance, Plugin, Schema, SchemaAndValue } from '@troupe/sdk';
import { LRUCache } from 'lru-cache';
import { parseAvro, type AvroType } from './avro-schema.js';
import { AvroInput, AvroOutput } from './binary.js';
import { avroSchemaOf, type FromConnectOptions } from './from-connect.js';
import { readerOf, type Read } from './read-value.js';
import { connectSchemaOf } from './to-connect.js';
import { Mismatch, writerOf, type Write } from './write-value.js';

const GROUP = 'Avro converter';
const NOTHING: SchemaAndValue = Object.freeze({ schema: null, value: null });

/** Avro in Confluent's wire format, with schemas in a registry. */
const converter: Converter = {
  version: '1.0.0',
  input: 'bytes',
  config: [
    ...REGISTRY_KEYS,
    {
      name: 'connect.meta.data',
      type: 'BOOLEAN',
      defaultValue: 'true',
      importance: 'LOW',
      documentation:
        "Whether what Avro has no room for, names and versions of schemas and their like, stands in Avro's schemas under `connect.…`.",
      group: GROUP,
      displayName: 'Metadata',
    },
    {
      name: 'enhanced.avro.schema.support',
      type: 'BOOLEAN',
      defaultValue: 'false',
      importance: 'MEDIUM',
      documentation: 'Write texts that were enums of Avro as enums again.',
      group: GROUP,
      displayName: 'Enums',
    },
  ],
  create: (config, options) =>
    new AvroConverter(registryOptions(config, options), {
      metaData: config.boolean('connect.meta.data'),
      enhanced: config.boolean('enhanced.avro.schema.support'),
    }),
};

/** How values of one schema are written. */
interface Plan {
  readonly text: string;
  readonly recordName: string | null;
  readonly write: Write;
  /** By topic, once the registry has told the id. */
  readonly prefixes: LRUCache<string, Uint8Array>;
}

interface Input {
  readonly schema: Schema;
  readonly read: Read;
}

/** Topics of one schema whose ids are kept. */
const MAX_TOPICS = 100;

class AvroConverter implements ConverterInstance {
  readonly #options: RegistryOptions;
  readonly #registry: Registry;
  readonly #plans: PerSchema<Plan>;
  readonly #inputs: LRUCache<number, Input>;
  readonly #latest = new WeakMap<RegisteredSchema, Write>();
  readonly #output = new AvroOutput();
  readonly #input = new AvroInput();

  constructor(options: RegistryOptions, avro: FromConnectOptions) {
    this.#options = options;
    this.#registry = new Registry(options, 'AVRO');
    this.#plans = new PerSchema((schema) => planOf(schema, avro));
    this.#inputs = new LRUCache({ max: options.cacheSize });
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null;
    if (schema === null)
      throw new DataError(
        `AvroConverter takes values with a schema, and ${describeValue(value)} has none: use JsonConverter with schemas.enable=false, or give it one`,
        { code: 'NEEDS_SCHEMA' },
      );
    const plan = this.#plans.of(schema);
    const subject = (): string => this.#options.subjectName(topic, plan.recordName);
    if (this.#options.useLatest && !this.#options.autoRegister) {
      const latest = this.#registry.latest(subject());
      return this.#written(this.#latestWriter(latest), prefixOf(latest.id), value);
    }
    let prefix = plan.prefixes.get(topic);
    if (prefix === undefined) {
      prefix = prefixOf(this.#registry.idOf(subject(), plan.text));
      plan.prefixes.set(topic, prefix);
    }
    return this.#written(plan.write, prefix, value);
  }

  toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
    if (data === null) return NOTHING;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const id = schemaIdOf(bytes);
    let input = this.#inputs.get(id);
    if (input === undefined) {
      const type = this.#parsed(this.#registry.schema(id));
      input = { schema: connectSchemaOf(type), read: readerOf(type) };
      this.#inputs.set(id, input);
    }
    this.#input.open(bytes, PREFIX_BYTES);
    const value = input.read(this.#input);
    if (this.#input.left > 0)
      throw new DataError(`${this.#input.left} bytes follow the Avro data: its schema is not ${id}`, {
        code: 'BAD_AVRO',
      });
    return { schema: input.schema, value };
  }

  #written(write: Write, prefix: Uint8Array, value: unknown): Uint8Array {
    try {
      write(this.#output, value);
    } catch (error) {
      this.#output.reset();
      if (!(error instanceof Mismatch)) throw error;
      throw new DataError(`value${error.path}: ${error.message}`, { code: 'SCHEMA_MISMATCH' });
    }
    return this.#output.take(prefix);
  }

  #latestWriter(latest: RegisteredSchema): Write {
    let write = this.#latest.get(latest);
    if (write === undefined) {
      write = writerOf(this.#parsed(latest));
      this.#latest.set(latest, write);
    }
    return write;
  }

  /** With the types of the schemas that it refers to. */
  #parsed(schema: RegisteredSchema): AvroType {
    const known = new Map<string, AvroType>();
    this.#addReferences(schema, known, new Set());
    return parseAvro(schema.text, known);
  }

  #addReferences(schema: RegisteredSchema, known: Map<string, AvroType>, seen: Set<string>): void {
    for (const { subject, version } of schema.references) {
      const name = `${subject} ${version}`;
      if (seen.has(name)) continue;
      seen.add(name);
      const referred = this.#registry.version(subject, version);
      this.#addReferences(referred, known, seen);
      parseAvro(referred.text, known);
    }
  }
}

function planOf(schema: Schema, options: FromConnectOptions): Plan {
  const text = JSON.stringify(avroSchemaOf(schema, options));
  const type = parseAvro(text);
  return {
    text,
    recordName: recordNameOf(type),
    write: writerOf(type),
    prefixes: new LRUCache({ max: MAX_TOPICS }),
  };
}

function recordNameOf(type: AvroType): string | null {
  if (type.kind === 'union') return type.branches.map(recordNameOf).find((name) => name !== null) ?? null;
  return 'fullName' in type ? type.fullName : null;
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
