/** Avro schemas, parsed: https://avro.apache.org/docs/1.12.0/specification/. */
import { DataError, fieldOf, isFields, type Fields } from '@troupe/sdk';

export type PrimitiveName = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  readonly doc: string | null;
  /** As JSON; undefined: there is none. */
  readonly default: unknown;
}

interface Annotated {
  /** Everything that stands beside the type, such as `logicalType` and `connect.name`. */
  readonly props: Fields;
}

export type AvroType =
  | (Annotated & { readonly kind: PrimitiveName })
  | (Annotated & {
      readonly kind: 'record';
      readonly fullName: string;
      readonly fields: readonly AvroField[];
    })
  | (Annotated & { readonly kind: 'enum'; readonly fullName: string; readonly symbols: readonly string[] })
  | (Annotated & { readonly kind: 'fixed'; readonly fullName: string; readonly size: number })
  | (Annotated & { readonly kind: 'array'; readonly items: AvroType })
  | (Annotated & { readonly kind: 'map'; readonly values: AvroType })
  | (Annotated & { readonly kind: 'union'; readonly branches: readonly AvroType[] });

const PRIMITIVES: ReadonlySet<unknown> = new Set<PrimitiveName>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
]);
const NO_PROPS: Fields = Object.freeze({});
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_DEPTH = 100;
const MAX_FIXED = 16 * 1024 * 1024;

/** `known`: types that the schema may name, those of its references; gets those of this one. Throws DataError BAD_AVRO_SCHEMA. */
export function parseAvro(text: string, known: Map<string, AvroType> = new Map()): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad('it is not JSON', error);
  }
  return new Parser(known).type(json, '', 0);
}

class Parser {
  readonly #known: Map<string, AvroType>;
  /** Of the records around. */
  readonly #open = new Set<string>();

  constructor(known: Map<string, AvroType>) {
    this.#known = known;
  }

  type(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > MAX_DEPTH) throw bad(`it is nested more than ${MAX_DEPTH} deep`);
    if (typeof json === 'string') return this.#named(json, namespace);
    if (Array.isArray(json))
      return {
        kind: 'union',
        props: NO_PROPS,
        branches: json.map((item) => this.type(item, namespace, depth + 1)),
      };
    if (!isFields(json)) throw bad(`a type is ${JSON.stringify(json)?.slice(0, 40)}`);
    const kind = fieldOf(json, 'type');
    switch (kind) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, depth);
      case 'enum':
        return this.#add(json, namespace, (fullName) => ({
          kind,
          fullName,
          props: json,
          symbols: symbolsOf(json),
        }));
      case 'fixed':
        return this.#add(json, namespace, (fullName) => ({
          kind,
          fullName,
          props: json,
          size: sizeOf(json),
        }));
      case 'array':
        return { kind, props: json, items: this.type(fieldOf(json, 'items'), namespace, depth + 1) };
      case 'map':
        return { kind, props: json, values: this.type(fieldOf(json, 'values'), namespace, depth + 1) };
      default: {
        // Some write {"type": {"type": "int"}}.
        const type = this.type(kind, namespace, depth + 1);
        return PRIMITIVES.has(kind) ? { ...type, props: json } : type;
      }
    }
  }

  #named(name: string, namespace: string): AvroType {
    if (PRIMITIVES.has(name)) return { kind: name as PrimitiveName, props: NO_PROPS };
    const fullName = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    if (this.#open.has(fullName))
      throw new DataError(`the Avro schema ${fullName} holds itself, which no schema of records here can`, {
        code: 'RECURSIVE_SCHEMA',
      });
    const found = this.#known.get(fullName) ?? this.#known.get(name);
    if (found === undefined) throw bad(`it names the type ${name.slice(0, 100)}, which it does not define`);
    return found;
  }

  #record(json: Fields, namespace: string, depth: number): AvroType {
    const fullName = fullNameOf(json, namespace);
    const inner = fullName.includes('.') ? fullName.slice(0, fullName.lastIndexOf('.')) : '';
    const fields = fieldOf(json, 'fields');
    if (!Array.isArray(fields)) throw bad(`the record ${fullName} has no "fields"`);
    this.#open.add(fullName);
    const read = fields.map((field: unknown): AvroField => {
      const name = isFields(field) ? fieldOf(field, 'name') : undefined;
      if (!isFields(field) || typeof name !== 'string') throw bad(`a field of ${fullName} has no name`);
      const doc = fieldOf(field, 'doc');
      return {
        name,
        type: this.type(fieldOf(field, 'type'), inner, depth + 1),
        doc: typeof doc === 'string' ? doc : null,
        default: fieldOf(field, 'default'),
      };
    });
    this.#open.delete(fullName);
    return this.#add(json, namespace, () => ({ kind: 'record', fullName, props: json, fields: read }));
  }

  #add(json: Fields, namespace: string, make: (fullName: string) => AvroType): AvroType {
    const fullName = fullNameOf(json, namespace);
    const type = make(fullName);
    this.#known.set(fullName, type);
    return type;
  }
}

function fullNameOf(json: Fields, namespace: string): string {
  const name = fieldOf(json, 'name');
  if (typeof name !== 'string' || !name.split('.').every((part) => NAME.test(part)))
    throw bad(`a type has the name ${JSON.stringify(name)?.slice(0, 100)}`);
  if (name.includes('.')) return name;
  const own = fieldOf(json, 'namespace');
  const space = typeof own === 'string' ? own : namespace;
  return space === '' ? name : `${space}.${name}`;
}

function symbolsOf(json: Fields): readonly string[] {
  const symbols = fieldOf(json, 'symbols');
  if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === 'string'))
    throw bad('an enum has no "symbols"');
  return symbols;
}

function sizeOf(json: Fields): number {
  const size = fieldOf(json, 'size');
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > MAX_FIXED)
    throw bad('a fixed has no good "size"');
  return size;
}

export function isAvroName(name: string): boolean {
  return NAME.test(name);
}

function bad(what: string, cause?: unknown): DataError {
  return new DataError(`the Avro schema cannot be read: ${what}`, { code: 'BAD_AVRO_SCHEMA', cause });
}
