/** Schemas of Connect as Avro's, as Confluent's AvroData makes them. */
import {
  DataError,
  DATE_NAME,
  decimalScale,
  isFields,
  logicalType,
  TIME_NAME,
  TIMESTAMP_NAME,
  type Schema,
} from '@troupe/sdk';
import { isAvroName } from './avro-schema.js';
import { defaultJson } from './default-json.js';
import {
  DEFAULT_NAME,
  DEFAULT_PRECISION,
  DEFAULT_PROP,
  DOC_PROP,
  ENUM,
  INTERNAL_TYPE_PROP,
  MAP_ENTRY,
  NAME_PROP,
  PARAMETERS_PROP,
  PRECISION,
  TYPE_PROP,
  UNION,
  VERSION_PROP,
} from './names.js';

export interface FromConnectOptions {
  /** Whether `connect.name` and its like stand in it. */
  readonly metaData: boolean;
  /** Whether enums that were read as texts are enums again. */
  readonly enhanced: boolean;
}

type AvroJson = string | readonly unknown[] | { readonly [name: string]: unknown };

const LOGICAL: Readonly<Record<string, string>> = {
  [DATE_NAME]: 'date',
  [TIME_NAME]: 'time-millis',
  [TIMESTAMP_NAME]: 'timestamp-millis',
};

/** Throws DataError BAD_AVRO_NAME. */
export function avroSchemaOf(schema: Schema, options: FromConnectOptions): AvroJson {
  return new Maker(options).of(schema);
}

class Maker {
  readonly #options: FromConnectOptions;
  /** Named types stand once, and are then referred to. */
  readonly #defined = new Map<string, Schema>();

  constructor(options: FromConnectOptions) {
    this.#options = options;
  }

  of(schema: Schema): AvroJson {
    if (schema.name === UNION && schema.type === 'STRUCT') return this.#union(schema);
    const base = this.#base(schema);
    if (!schema.optional) return base;
    return hasDefault(schema) ? [base, 'null'] : ['null', base];
  }

  #union(schema: Schema): AvroJson {
    const branches = (schema.fields ?? []).map((field) => this.#base(field.schema));
    return schema.optional ? ['null', ...branches] : branches;
  }

  #base(schema: Schema): AvroJson {
    const made = this.#typeOf(schema);
    if (typeof made === 'string') {
      // A type that stands elsewhere says everything there.
      if (this.#defined.has(made)) return made;
      const props = this.#metaData(schema);
      return Object.keys(props).length === 0 ? made : { type: made, ...props };
    }
    return Array.isArray(made) || !isFields(made) ? made : { ...made, ...this.#metaData(schema) };
  }

  #typeOf(schema: Schema): AvroJson {
    switch (schema.type) {
      case 'INT8':
      case 'INT16':
        return { type: 'int', [TYPE_PROP]: schema.type.toLowerCase() };
      case 'INT32':
        return this.#logical(schema, 'int');
      case 'INT64':
        return this.#logical(schema, 'long');
      case 'FLOAT32':
        return 'float';
      case 'FLOAT64':
        return 'double';
      case 'BOOLEAN':
        return 'boolean';
      case 'STRING':
        return this.#string(schema);
      case 'BYTES':
        return logicalType(schema) === 'Decimal' ? decimal(schema) : 'bytes';
      case 'ARRAY':
        return { type: 'array', items: this.of(part(schema, schema.valueSchema)) };
      case 'MAP':
        return this.#map(schema);
      case 'STRUCT':
        return this.#record(schema);
    }
  }

  #logical(schema: Schema, type: 'int' | 'long'): AvroJson {
    const logicalType = LOGICAL[schema.name ?? ''];
    const fits = (schema.name === TIMESTAMP_NAME) === (type === 'long');
    return logicalType === undefined || !fits ? type : { type, logicalType };
  }

  #string(schema: Schema): AvroJson {
    const name = schema.parameters?.[ENUM];
    if (name === undefined || !this.#options.enhanced) return 'string';
    if (this.#defined.has(name)) return name;
    this.#defined.set(name, schema);
    const symbols = Object.entries(schema.parameters ?? {})
      .filter(([key]) => key.startsWith(`${ENUM}.`))
      .map(([, symbol]) => symbol);
    return { type: 'enum', ...nameOf(name), symbols };
  }

  /** An array of entries, where the keys are no texts. */
  #map(schema: Schema): AvroJson {
    const keySchema = part(schema, schema.keySchema);
    const valueSchema = part(schema, schema.valueSchema);
    if (keySchema.type === 'STRING' && !keySchema.optional)
      return { type: 'map', values: this.of(valueSchema) };
    const entry = schema.name ?? MAP_ENTRY;
    const known = this.#defined.get(entry);
    if (known !== undefined && known !== schema)
      throw new DataError(
        `the schema has several maps whose keys are no texts, under one name (${entry}): give each map a name`,
        { code: 'BAD_AVRO_NAME' },
      );
    if (known !== undefined) return { type: 'array', items: entry };
    this.#defined.set(entry, schema);
    return {
      type: 'array',
      items: {
        type: 'record',
        ...nameOf(entry),
        fields: [
          { name: 'key', type: this.of(keySchema) },
          { name: 'value', type: this.of(valueSchema) },
        ],
        [INTERNAL_TYPE_PROP]: 'MapEntry',
      },
    };
  }

  #record(schema: Schema): AvroJson {
    const name = schema.name ?? DEFAULT_NAME;
    const known = this.#defined.get(name);
    if (known !== undefined && sameStruct(known, schema)) return name;
    if (known !== undefined)
      throw new DataError(
        `the schema has two different structs ${schema.name === undefined ? 'without a name' : `of the name ${name}`}, which Avro cannot tell apart: give them names (SetSchemaMetadata)`,
        { code: 'BAD_AVRO_NAME' },
      );
    this.#defined.set(name, schema);
    return {
      type: 'record',
      ...nameOf(name),
      fields: (schema.fields ?? []).map((field) => {
        if (!isAvroName(field.name)) throw badName(field.name);
        const { doc } = field.schema;
        return {
          name: field.name,
          type: this.of(field.schema),
          ...(doc === undefined ? {} : { doc }),
          ...this.#default(field.schema),
        };
      }),
    };
  }

  #default(schema: Schema): { default?: unknown } {
    if (hasDefault(schema)) return { default: defaultJson(schema, schema.defaultValue) };
    return schema.optional ? { default: null } : {};
  }

  #metaData(schema: Schema): Record<string, unknown> {
    const { name, version, doc, parameters } = schema;
    if (!this.#options.metaData) return {};
    return {
      ...(doc === undefined ? {} : { [DOC_PROP]: doc }),
      ...(version === undefined ? {} : { [VERSION_PROP]: version }),
      ...(parameters === undefined ? {} : { [PARAMETERS_PROP]: parameters }),
      ...(hasDefault(schema) ? { [DEFAULT_PROP]: defaultJson(schema, schema.defaultValue) } : {}),
      ...(name === undefined ? {} : { [NAME_PROP]: name }),
    };
  }
}

/** A type that is referred to must be the one that was defined. */
function sameStruct(a: Schema, b: Schema): boolean {
  return (
    a === b || JSON.stringify({ ...a, optional: 0 }, plain) === JSON.stringify({ ...b, optional: 0 }, plain)
  );
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function hasDefault({ defaultValue }: Schema): boolean {
  return defaultValue !== undefined && defaultValue !== null;
}

function decimal(schema: Schema): AvroJson {
  const precision = Number(schema.parameters?.[PRECISION] ?? DEFAULT_PRECISION);
  return { type: 'bytes', logicalType: 'decimal', precision, scale: decimalScale(schema) };
}

function nameOf(fullName: string): { name: string; namespace?: string } {
  for (const each of fullName.split('.')) if (!isAvroName(each)) throw badName(fullName);
  const dot = fullName.lastIndexOf('.');
  return dot < 0 ? { name: fullName } : { name: fullName.slice(dot + 1), namespace: fullName.slice(0, dot) };
}

function badName(name: string): DataError {
  return new DataError(
    `Avro takes no name such as "${name.slice(0, 100)}", only letters, digits and _: rename it (ReplaceField, SetSchemaMetadata)`,
    { code: 'BAD_AVRO_NAME' },
  );
}

function part(schema: Schema, found: Schema | undefined): Schema {
  if (found !== undefined) return found;
  throw new DataError(`a schema of type ${schema.type} lacks the schema of its parts`, {
    code: 'BAD_SCHEMA',
  });
}
