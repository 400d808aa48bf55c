import { DataError } from './errors.js';
import type { Schema, SchemaField, SchemaType } from './schema.js';

/**
 * Builds a Schema. Required unless `optional()` is called, as in Kafka Connect:
 *
 *     SchemaBuilder.struct().name('order').field('id', INT64_SCHEMA).field('note', OPTIONAL_STRING_SCHEMA).build()
 *
 * Throws DataError BAD_SCHEMA for a use that makes no sense, for example a field that stands twice.
 */
export class SchemaBuilder {
  readonly #type: SchemaType;
  readonly #keySchema: Schema | undefined;
  readonly #valueSchema: Schema | undefined;
  readonly #fields = new Map<string, SchemaField>();
  #optional = false;
  #name: string | undefined;
  #version: number | undefined;
  #doc: string | undefined;
  #default: unknown = undefined;
  readonly #parameters = new Map<string, string>();

  private constructor(type: SchemaType, keySchema?: Schema, valueSchema?: Schema) {
    this.#type = type;
    this.#keySchema = keySchema;
    this.#valueSchema = valueSchema;
  }

  static of(type: Exclude<SchemaType, 'ARRAY' | 'MAP'>): SchemaBuilder {
    return new SchemaBuilder(type);
  }
  static struct(): SchemaBuilder {
    return new SchemaBuilder('STRUCT');
  }
  static array(valueSchema: Schema): SchemaBuilder {
    return new SchemaBuilder('ARRAY', undefined, valueSchema);
  }
  static map(keySchema: Schema, valueSchema: Schema): SchemaBuilder {
    return new SchemaBuilder('MAP', keySchema, valueSchema);
  }
  /** Everything of `schema`, to be changed: `SchemaBuilder.from(schema).optional().build()`. */
  static from(schema: Schema): SchemaBuilder {
    const builder = SchemaBuilder.basics(schema);
    for (const field of schema.fields ?? []) builder.field(field.name, field.schema);
    return builder;
  }
  /** Everything of `schema` but its fields. */
  static basics(schema: Schema): SchemaBuilder {
    const builder = new SchemaBuilder(schema.type, schema.keySchema, schema.valueSchema);
    builder.#optional = schema.optional;
    builder.#name = schema.name;
    builder.#version = schema.version;
    builder.#doc = schema.doc;
    builder.#default = schema.defaultValue;
    return builder.parameters(schema.parameters ?? {});
  }

  optional(): this {
    this.#optional = true;
    return this;
  }
  required(): this {
    this.#optional = false;
    return this;
  }
  name(name: string): this {
    this.#name = name;
    return this;
  }
  version(version: number): this {
    this.#version = version;
    return this;
  }
  doc(doc: string): this {
    this.#doc = doc;
    return this;
  }
  /** What a missing value stands for. undefined takes a default away. */
  default(value: unknown): this {
    this.#default = value;
    return this;
  }
  parameter(name: string, value: string): this {
    this.#parameters.set(name, value);
    return this;
  }
  parameters(parameters: Readonly<Record<string, string>>): this {
    for (const [name, value] of Object.entries(parameters)) this.#parameters.set(name, value);
    return this;
  }

  /** Adds a field to a struct, after those there are. */
  field(name: string, schema: Schema): this {
    if (this.#type !== 'STRUCT')
      throw badSchema(`a ${this.#type} cannot have the field "${name}": only a STRUCT has fields`);
    if (this.#fields.has(name)) throw badSchema(`the field "${name}" stands twice in one struct`);
    this.#fields.set(name, Object.freeze({ name, schema }));
    return this;
  }

  build(): Schema {
    return Object.freeze({
      type: this.#type,
      optional: this.#optional,
      ...(this.#name === undefined ? {} : { name: this.#name }),
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(this.#doc === undefined ? {} : { doc: this.#doc }),
      ...(this.#default === undefined ? {} : { defaultValue: this.#default }),
      ...(this.#parameters.size === 0
        ? {}
        : { parameters: Object.freeze(Object.fromEntries(this.#parameters)) }),
      ...(this.#type === 'STRUCT' ? { fields: Object.freeze([...this.#fields.values()]) } : {}),
      ...(this.#keySchema === undefined ? {} : { keySchema: this.#keySchema }),
      ...(this.#valueSchema === undefined ? {} : { valueSchema: this.#valueSchema }),
    });
  }
}

function badSchema(message: string): DataError {
  return new DataError(message, { code: 'BAD_SCHEMA' });
}
