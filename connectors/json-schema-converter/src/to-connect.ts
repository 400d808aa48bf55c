/** JSON Schemas as schemas of Connect, as Confluent's JsonSchemaData makes them. */
import {
  DataError,
  fieldOf,
  isFields,
  SchemaBuilder,
  STRING_SCHEMA,
  type Fields,
  type JsonReaders,
  type Schema,
} from '@troupe/sdk';
import { ENUM, INDEX, ONE_OF, ONE_OF_FIELD, PARAMETERS, TYPE, VERSION } from './names.js';

const MAX_DEPTH = 100;
const NUMBERS: ReadonlyMap<unknown, 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FLOAT32' | 'FLOAT64' | 'BYTES'> =
  new Map([
    ['int8', 'INT8'],
    ['int16', 'INT16'],
    ['int32', 'INT32'],
    ['int64', 'INT64'],
    ['float32', 'FLOAT32'],
    ['float64', 'FLOAT64'],
    ['bytes', 'BYTES'],
  ]);

/** `text`: a JSON Schema. Throws DataError BAD_JSON_SCHEMA for what no schema of records can say. */
export function connectSchemaOf(text: string, readers: JsonReaders): Schema {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad('it is not JSON', error);
  }
  return new Reader(json, readers).schema(json, 0);
}

class Reader {
  readonly #root: unknown;
  /** Of defaults. */
  readonly #readers: JsonReaders;

  constructor(root: unknown, readers: JsonReaders) {
    this.#root = root;
    this.#readers = readers;
  }

  schema(given: unknown, depth: number, optional = false): Schema {
    if (depth > MAX_DEPTH) throw bad(`it is nested more than ${MAX_DEPTH} deep, or holds itself`);
    const json = this.#resolved(given);
    const choices = choicesOf(json);
    if (choices !== null) return this.#choice(json, choices, depth, optional);
    const builder = this.#builder(json, depth);
    if (optional) builder.optional();
    this.#addMetaData(builder, json);
    const standIn = fieldOf(json, 'default');
    if (standIn === undefined || standIn === null) return builder.build();
    return builder.default(this.#readers.of(builder.build())(standIn)).build();
  }

  /** `#/definitions/…` of the schema itself. */
  #resolved(given: unknown): Fields {
    let json = given;
    for (let steps = 0; isFields(json) && typeof fieldOf(json, '$ref') === 'string'; steps += 1) {
      const ref = String(fieldOf(json, '$ref'));
      if (!ref.startsWith('#') || steps > MAX_DEPTH) throw bad(`it refers to ${ref.slice(0, 100)}`);
      json = ref
        .slice(1)
        .split('/')
        .filter((step) => step !== '')
        .reduce<unknown>(
          (at, step) =>
            isFields(at)
              ? fieldOf(at, decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
              : undefined,
          this.#root,
        );
    }
    if (!isFields(json)) throw bad('a schema in it is no object');
    return json;
  }

  #choice(json: Fields, choices: readonly unknown[], depth: number, optional: boolean): Schema {
    const others = choices.filter((choice) => !isNull(choice));
    const [only] = others;
    const nullable = optional || others.length < choices.length;
    if (only !== undefined && others.length === 1) return this.schema(only, depth + 1, nullable);
    const builder = SchemaBuilder.struct().name(ONE_OF);
    if (nullable) builder.optional();
    const doc = fieldOf(json, 'description');
    if (typeof doc === 'string') builder.doc(doc);
    others.forEach((choice, i) => builder.field(`${ONE_OF_FIELD}${i}`, this.schema(choice, depth + 1, true)));
    return builder.build();
  }

  #builder(json: Fields, depth: number): SchemaBuilder {
    const named = fieldOf(json, TYPE);
    const symbols = fieldOf(json, 'enum');
    const type =
      fieldOf(json, 'type') ??
      (Array.isArray(symbols) ? 'string' : isFields(fieldOf(json, 'properties')) ? 'object' : undefined);
    switch (type) {
      case 'boolean':
        return SchemaBuilder.of('BOOLEAN');
      case 'integer':
        return SchemaBuilder.of(NUMBERS.get(named) ?? 'INT64');
      case 'number':
        return SchemaBuilder.of(NUMBERS.get(named) ?? 'FLOAT64');
      case 'string': {
        const builder = SchemaBuilder.of(named === 'bytes' ? 'BYTES' : 'STRING');
        if (!Array.isArray(symbols)) return builder;
        builder.parameter(ENUM, '');
        for (const symbol of symbols)
          if (typeof symbol === 'string') builder.parameter(`${ENUM}.${symbol}`, symbol);
        return builder;
      }
      case 'array':
        return this.#array(json, named, depth);
      case 'object':
        return this.#object(json, named, depth);
      default:
        throw bad(`it has a schema of the type ${JSON.stringify(type)?.slice(0, 50) ?? 'none'}`);
    }
  }

  #array(json: Fields, named: unknown, depth: number): SchemaBuilder {
    const items = fieldOf(json, 'items');
    if (items === undefined || Array.isArray(items))
      throw bad('an array does not say the schema of its items');
    if (named !== 'map') return SchemaBuilder.array(this.schema(items, depth + 1));
    const properties = fieldOf(this.#resolved(items), 'properties');
    if (!isFields(properties)) throw bad('the entries of a map have no properties');
    return SchemaBuilder.map(
      this.schema(fieldOf(properties, 'key'), depth + 1),
      this.schema(fieldOf(properties, 'value'), depth + 1),
    );
  }

  #object(json: Fields, named: unknown, depth: number): SchemaBuilder {
    const more = fieldOf(json, 'additionalProperties');
    if (named === 'map') return SchemaBuilder.map(STRING_SCHEMA, this.schema(more, depth + 1));
    const properties = fieldOf(json, 'properties');
    const builder = SchemaBuilder.struct();
    const fields = isFields(properties) ? Object.entries(properties) : [];
    const index = ([, field]: readonly [string, unknown]): number => {
      const at = isFields(field) ? fieldOf(field, INDEX) : undefined;
      return typeof at === 'number' ? at : fields.length;
    };
    for (const [name, field] of [...fields].sort((a, b) => index(a) - index(b)))
      builder.field(name, this.schema(field, depth + 1));
    return builder;
  }

  #addMetaData(builder: SchemaBuilder, json: Fields): void {
    const [title, doc] = [fieldOf(json, 'title'), fieldOf(json, 'description')];
    const [version, parameters] = [fieldOf(json, VERSION), fieldOf(json, PARAMETERS)];
    if (typeof title === 'string') builder.name(title);
    if (typeof doc === 'string') builder.doc(doc);
    if (typeof version === 'number' && Number.isInteger(version)) builder.version(version);
    if (isFields(parameters))
      for (const [name, value] of Object.entries(parameters))
        if (typeof value === 'string') builder.parameter(name, value);
  }
}

/** Of oneOf, anyOf, and a type that is a list; null: it is none. */
function choicesOf(json: Fields): readonly unknown[] | null {
  for (const name of ['oneOf', 'anyOf']) {
    const choices = fieldOf(json, name);
    if (Array.isArray(choices)) return choices as readonly unknown[];
  }
  for (const name of ['allOf', 'not', 'if'])
    if (fieldOf(json, name) !== undefined) throw bad(`it has ${name}, which no schema of records can say`);
  const type = fieldOf(json, 'type');
  return Array.isArray(type) ? type.map((each: unknown) => ({ ...json, type: each })) : null;
}

function isNull(choice: unknown): boolean {
  return isFields(choice) && fieldOf(choice, 'type') === 'null';
}

function bad(what: string, cause?: unknown): DataError {
  return new DataError(`the JSON Schema cannot be read: ${what}`, { code: 'BAD_JSON_SCHEMA', cause });
}
