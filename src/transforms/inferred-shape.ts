/** What is known of values without a schema that have come so far: grows only, so that what fitted goes on to fit. */
import {
  DataError,
  Decimal,
  decimalSchema,
  describeValue,
  isFields,
  OPTIONAL_BOOLEAN_SCHEMA,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_FLOAT64_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  OPTIONAL_TIMESTAMP_SCHEMA,
  SchemaBuilder,
  setField,
} from '../sdk/index.js';
import type { Schema } from '../sdk/index.js';

type Scalar = 'BOOLEAN' | 'INT64' | 'FLOAT64' | 'STRING' | 'BYTES' | 'TIMESTAMP';

export type Shape =
  /** Nothing but nulls. */
  | { readonly kind: 'UNKNOWN' }
  | { readonly kind: Scalar }
  | { readonly kind: 'DECIMAL'; readonly scale: number }
  | { readonly kind: 'ARRAY' | 'MAP'; readonly items: Shape }
  | { readonly kind: 'STRUCT'; readonly fields: ReadonlyMap<string, Shape> };

export interface ShapeRules {
  /** Of a whole value, those of structs in it, too. */
  readonly maxFields: number;
  /** What two shapes that have nothing in common become; false: they are an error. */
  readonly conflictsAreText: boolean;
}

export const UNKNOWN: Shape = { kind: 'UNKNOWN' };
const MAX_DEPTH = 100;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

const SCALARS: Readonly<Record<Scalar, Schema>> = {
  BOOLEAN: OPTIONAL_BOOLEAN_SCHEMA,
  INT64: OPTIONAL_INT64_SCHEMA,
  FLOAT64: OPTIONAL_FLOAT64_SCHEMA,
  STRING: OPTIONAL_STRING_SCHEMA,
  BYTES: OPTIONAL_BYTES_SCHEMA,
  TIMESTAMP: OPTIONAL_TIMESTAMP_SCHEMA,
};

/** The shape with the value in it, too; the very same where it fits already. Throws DataError SCHEMA_CONFLICT, SCHEMA_TOO_LARGE. */
export function extended(shape: Shape, value: unknown, rules: ShapeRules): Shape {
  const result = merged(shape, value, { path: 'value', depth: 0, rules });
  if (result !== shape && fieldsOf(result) > rules.maxFields)
    throw new DataError(
      `the inferred schema would have more than ${rules.maxFields} fields (max.fields): are there names that are values, such as ids?`,
      { code: 'SCHEMA_TOO_LARGE' },
    );
  return result;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly rules: ShapeRules;
}

function merged(shape: Shape, value: unknown, at: Place): Shape {
  if (value === null || value === undefined) return shape;
  if (at.depth > MAX_DEPTH)
    throw new DataError(`${at.path} is nested deeper than ${MAX_DEPTH}`, { code: 'SCHEMA_TOO_LARGE' });
  if (Array.isArray(value)) return mergedItems(shape, 'ARRAY', value, at);
  if (value instanceof Map) return mergedItems(shape, 'MAP', mapItems(value, at.path), at);
  if (isFields(value)) return mergedFields(shape, value, at);
  return widened(shape, scalarOf(value, at.path), value, at);
}

function mergedItems(shape: Shape, kind: 'ARRAY' | 'MAP', values: readonly unknown[], at: Place): Shape {
  const before = shape.kind === kind ? shape.items : UNKNOWN;
  if (shape.kind !== kind && shape.kind !== 'UNKNOWN') return conflict(shape, kind, at);
  let items: Shape = before;
  for (const value of values) items = merged(items, value, inside(at, '[]'));
  return shape.kind === kind && items === before ? shape : { kind, items };
}

function mergedFields(shape: Shape, value: Readonly<Record<string, unknown>>, at: Place): Shape {
  if (shape.kind !== 'STRUCT' && shape.kind !== 'UNKNOWN') return conflict(shape, 'STRUCT', at);
  const before = shape.kind === 'STRUCT' ? shape.fields : new Map<string, Shape>();
  let fields: Map<string, Shape> | null = null;
  for (const name of Object.keys(value)) {
    const field = before.get(name) ?? UNKNOWN;
    const found = merged(field, value[name], inside(at, `.${name}`));
    if (found !== field) (fields ??= new Map(before)).set(name, found);
  }
  if (fields === null) return shape.kind === 'STRUCT' ? shape : { kind: 'STRUCT', fields: before };
  // By name, so that the order in which they came makes no other schema.
  return { kind: 'STRUCT', fields: new Map([...fields].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function inside({ path, depth, rules }: Place, more: string): Place {
  return { path: path + more, depth: depth + 1, rules };
}

function mapItems(map: ReadonlyMap<unknown, unknown>, path: string): readonly unknown[] {
  for (const key of map.keys())
    if (typeof key !== 'string')
      throw new DataError(`${path} is a map with other keys than texts`, { code: 'SCHEMA_CONFLICT' });
  return [...map.values()];
}

function scalarOf(value: unknown, path: string): Shape {
  switch (typeof value) {
    case 'boolean':
      return { kind: 'BOOLEAN' };
    case 'string':
      return { kind: 'STRING' };
    case 'number':
      return { kind: Number.isSafeInteger(value) ? 'INT64' : 'FLOAT64' };
    case 'bigint':
      return value >= MIN_INT64 && value <= MAX_INT64 ? { kind: 'INT64' } : { kind: 'DECIMAL', scale: 0 };
    default:
      break;
  }
  if (value instanceof Uint8Array) return { kind: 'BYTES' };
  if (value instanceof Date) return { kind: 'TIMESTAMP' };
  if (value instanceof Decimal) return { kind: 'DECIMAL', scale: Math.max(0, value.scale) };
  throw new DataError(`${path} is ${describeValue(value)}, for which there is no schema`, {
    code: 'SCHEMA_CONFLICT',
  });
}

/** INT64 ⊂ FLOAT64 where no digit is lost, INT64 ⊂ DECIMAL; a decimal takes the larger scale. */
function widened(shape: Shape, found: Shape, value: unknown, at: Place): Shape {
  if (shape.kind === 'UNKNOWN') return found;
  // What is text by now takes everything.
  if (shape.kind === 'STRING' && at.rules.conflictsAreText) return shape;
  if (shape.kind === 'DECIMAL' && (found.kind === 'DECIMAL' || found.kind === 'INT64')) {
    const scale = found.kind === 'DECIMAL' ? found.scale : 0;
    return scale <= shape.scale ? shape : { kind: 'DECIMAL', scale };
  }
  if (shape.kind === 'INT64' && found.kind === 'DECIMAL') return found;
  if (shape.kind === 'INT64' && found.kind === 'FLOAT64') return found;
  if (shape.kind === 'FLOAT64' && found.kind === 'INT64' && typeof value === 'number') return shape;
  return shape.kind === found.kind ? shape : conflict(shape, found.kind, at);
}

function conflict(shape: Shape, found: string, { path, rules }: Place): Shape {
  const structured = ['STRUCT', 'ARRAY', 'MAP'];
  if (rules.conflictsAreText && !structured.includes(shape.kind) && !structured.includes(found))
    return { kind: 'STRING' };
  throw new DataError(`${path} was ${shape.kind} before, and is ${found} now: no schema is for both`, {
    code: 'SCHEMA_CONFLICT',
  });
}

function fieldsOf(shape: Shape): number {
  if (shape.kind === 'ARRAY' || shape.kind === 'MAP') return fieldsOf(shape.items);
  if (shape.kind !== 'STRUCT') return 0;
  let fields = 0;
  for (const field of shape.fields.values()) fields += 1 + fieldsOf(field);
  return fields;
}

export function schemaOf(
  shape: Shape,
  top: { readonly name: string | null; readonly version: number },
): Schema {
  const schema = optionalSchema(shape);
  if (shape.kind !== 'STRUCT' || top.name === null) return schema;
  return SchemaBuilder.from(schema).name(top.name).version(top.version).build();
}

function optionalSchema(shape: Shape): Schema {
  switch (shape.kind) {
    case 'UNKNOWN':
      return OPTIONAL_STRING_SCHEMA;
    case 'DECIMAL':
      return decimalSchema(shape.scale).optional().build();
    case 'ARRAY':
      return SchemaBuilder.array(optionalSchema(shape.items)).optional().build();
    case 'MAP':
      return SchemaBuilder.map(SchemaBuilder.of('STRING').build(), optionalSchema(shape.items))
        .optional()
        .build();
    case 'STRUCT': {
      const builder = SchemaBuilder.struct().optional();
      // Of what was null so far nothing is known.
      for (const [name, field] of shape.fields)
        if (field.kind !== 'UNKNOWN') builder.field(name, optionalSchema(field));
      return builder.build();
    }
    default:
      return SCALARS[shape.kind];
  }
}

/** The value as its schema has it: what is no text becomes one, and nulls of which nothing is known are left out. */
export function fitted(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case 'STRING':
      return textOf(value);
    case 'DECIMAL':
      return value instanceof Decimal ? value.withScale(shape.scale) : wholeDecimal(value, shape.scale);
    case 'ARRAY':
      return (value as readonly unknown[]).map((item) => fitted(shape.items, item));
    case 'MAP':
      return new Map(
        [...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [key, fitted(shape.items, item)]),
      );
    case 'STRUCT': {
      const fields: Record<string, unknown> = {};
      for (const [name, item] of Object.entries(value)) {
        const field = shape.fields.get(name);
        if (field !== undefined && field.kind !== 'UNKNOWN') setField(fields, name, fitted(field, item));
      }
      return fields;
    }
    default:
      return value;
  }
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return String(value);
}

function wholeDecimal(value: unknown, scale: number): Decimal {
  return new Decimal(BigInt(value as number | bigint), 0).withScale(scale);
}
