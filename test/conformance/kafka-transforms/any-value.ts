/** Schemas, values that fit them, and values without a schema, as Kafka's classes take them. */
import fc from 'fast-check';
import {
  DATE_NAME,
  Decimal,
  decimalSchema,
  SchemaBuilder,
  setField,
  TIME_NAME,
  TIMESTAMP_NAME,
  logicalType,
  decimalScale,
  type Schema,
} from '#troupe/sdk/index.js';

/** Makes values of arbitraries one after the other, which fast-check can make smaller. */
export type Draw = fc.GeneratorValue;

const DAY_MS = 86_400_000;
export const NAMES = ['a', 'b', 'c', 'id', 'a.b', 'b.c', 'x y', 'ü', '`q`'] as const;
const PLAIN = [
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FLOAT32',
  'FLOAT64',
  'BOOLEAN',
  'STRING',
  'BYTES',
] as const;
const LOGICAL = ['date', 'time', 'timestamp', 'decimal'] as const;

export function oneOf<T>(draw: Draw, items: readonly T[]): T {
  const item = items[draw(fc.nat, { max: items.length - 1 })];
  if (item === undefined) throw new TypeError('there is nothing to choose from');
  return item;
}
export const chance = (draw: Draw, percent: number): boolean => draw(fc.nat, { max: 99 }) < percent;

/** `depth`: how deep structs may stand in it. */
export function anySchema(draw: Draw, depth: number): Schema {
  const kind = draw(fc.nat, { max: depth > 0 ? 19 : 12 });
  const builder =
    kind < 13 ? builderOf(draw, [...PLAIN, ...LOGICAL][kind] ?? 'STRING') : nested(draw, kind, depth);
  return finished(draw, builder);
}

export function anyStruct(draw: Draw, depth: number): Schema {
  return finished(draw, struct(draw, depth));
}

function nested(draw: Draw, kind: number, depth: number): SchemaBuilder {
  if (kind < 15) return SchemaBuilder.array(anySchema(draw, depth - 1));
  if (kind < 16) return SchemaBuilder.map(SchemaBuilder.of('STRING').build(), anySchema(draw, depth - 1));
  return struct(draw, depth);
}

function struct(draw: Draw, depth: number): SchemaBuilder {
  const builder = SchemaBuilder.struct();
  const names = draw(fc.uniqueArray<(typeof NAMES)[number], unknown>, fc.constantFrom(...NAMES), {
    maxLength: 5,
  });
  for (const name of names) builder.field(name, anySchema(draw, depth - 1));
  return builder;
}

function builderOf(draw: Draw, type: (typeof PLAIN)[number] | (typeof LOGICAL)[number]): SchemaBuilder {
  switch (type) {
    case 'date':
      return SchemaBuilder.of('INT32').name(DATE_NAME).version(1);
    case 'time':
      return SchemaBuilder.of('INT32').name(TIME_NAME).version(1);
    case 'timestamp':
      return SchemaBuilder.of('INT64').name(TIMESTAMP_NAME).version(1);
    case 'decimal':
      return decimalSchema(oneOf(draw, [0, 2, 7, 20, -3]));
    default:
      return SchemaBuilder.of(type);
  }
}

/** With what any schema may have. */
function finished(draw: Draw, builder: SchemaBuilder): Schema {
  if (chance(draw, 40)) builder.optional();
  if (chance(draw, 10)) builder.doc('what it is');
  const named = builder.build();
  if (named.name === undefined && chance(draw, 10)) builder.name('com.example.Thing').version(3);
  if (named.name === undefined && chance(draw, 5)) builder.parameter('p', 'q');
  if (!chance(draw, named.type === 'STRUCT' ? 5 : 20)) return builder.build();
  return builder.default(anyValue(draw, SchemaBuilder.from(builder.build()).required().build())).build();
}

/** null where it may be, and missing fields where they may be. */
export function anyValue(draw: Draw, schema: Schema): unknown {
  if (schema.optional && chance(draw, 25)) return null;
  switch (logicalType(schema)) {
    case 'Date':
      return new Date(draw(fc.integer, { min: -100_000, max: 100_000 }) * DAY_MS);
    case 'Time':
      return new Date(draw(fc.integer, { min: 0, max: DAY_MS - 1 }));
    case 'Timestamp':
      return new Date(anyTime(draw));
    case 'Decimal':
      return new Decimal(anyLong(draw), decimalScale(schema));
    case null:
      return plainValue(draw, schema);
  }
}

/** From 1600, when the calendar was the same everywhere, to the year 9999. */
export function anyTime(draw: Draw): number {
  if (chance(draw, 20)) return oneOf(draw, [0, -1, 1, DAY_MS, DAY_MS - 1, -DAY_MS, 1_700_000_000_123]);
  return draw(fc.integer, { min: Date.UTC(1600, 0, 1), max: Date.UTC(9999, 11, 31) });
}

function plainValue(draw: Draw, schema: Schema): unknown {
  switch (schema.type) {
    case 'INT8':
      return draw(fc.integer, { min: -128, max: 127 });
    case 'INT16':
      return draw(fc.integer, { min: -32_768, max: 32_767 });
    case 'INT32':
      return draw(fc.integer);
    case 'INT64':
      return short(anyLong(draw));
    case 'FLOAT32':
      return draw(fc.float);
    case 'FLOAT64':
      return chance(draw, 30) ? draw(fc.integer, { min: -9, max: 9 }) / 4 : draw(fc.double);
    case 'BOOLEAN':
      return draw(fc.boolean);
    case 'STRING':
      return anyText(draw);
    case 'BYTES':
      return draw(fc.uint8Array, { maxLength: 6 });
    case 'ARRAY':
      return manyOf(draw, () => anyValue(draw, part(schema.valueSchema)));
    case 'MAP':
      return new Map(
        manyOf(draw, () => [
          anyValue(draw, part(schema.keySchema)),
          anyValue(draw, part(schema.valueSchema)),
        ]),
      );
    case 'STRUCT':
      return structValue(draw, schema);
  }
}

function structValue(draw: Draw, schema: Schema): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, schema: field } of schema.fields ?? []) {
    const mayMiss = field.optional || field.defaultValue !== undefined;
    if (mayMiss && chance(draw, 25)) continue;
    setField(fields, name, anyValue(draw, field));
  }
  return fields;
}

function manyOf<T>(draw: Draw, make: () => T): T[] {
  return Array.from({ length: draw(fc.nat, { max: 3 }) }, make);
}

function part(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('a schema lacks a part');
  return schema;
}

export function anyLong(draw: Draw): bigint {
  if (chance(draw, 30)) return BigInt(draw(fc.integer, { min: -300, max: 300 }));
  return draw(fc.bigInt, { min: -(2n ** 63n), max: 2n ** 63n - 1n });
}

function short(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Often what can be read as a number, a time and so on. */
export function anyText(draw: Draw): string {
  const kind = draw(fc.nat, { max: 9 });
  if (kind < 3) return draw(fc.string, { maxLength: 6 });
  if (kind < 5) return String(anyLong(draw));
  if (kind < 6) return String(draw(fc.double));
  if (kind < 7) return new Date(anyTime(draw)).toISOString();
  return oneOf(draw, ODD_TEXTS);
}

const ODD_TEXTS = [
  '| |true|TRUE|False|null|abc|ü|-|+|+5| 5|5 |05|1e3|1.5f|1.|.5|NaN|-Infinity|Infinity|128|-129|40000|3000000000|1d|1e400|-0',
  '9223372036854775808|2023-11-14|2023-1-5|2023-13-45|1999-12-31T23:59:59.999Z|12:30:00.000Z|20231114|20231114x|5/31/2023',
]
  .join('|')
  .split('|');

/** As a converter gives it that has no schema: whole numbers are longs, and others doubles. */
export function anyPlain(draw: Draw, depth: number): unknown {
  const kind = draw(fc.nat, { max: depth > 0 ? 13 : 10 });
  if (kind < 2) return short(anyLong(draw));
  if (kind < 4) return draw(fc.integer, { min: -100_000, max: 100_000 }) + 0.25;
  if (kind < 5) return draw(fc.boolean);
  if (kind < 8) return anyText(draw);
  if (kind < 9) return null;
  if (kind < 10) return new Date(anyTime(draw));
  if (kind < 11) return draw(fc.uint8Array, { maxLength: 4 });
  if (kind < 12) return manyOf(draw, () => anyPlain(draw, depth - 1));
  return anyObject(draw, depth - 1);
}

export function anyObject(draw: Draw, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (let i = draw(fc.nat, { max: 5 }); i > 0; i -= 1)
    setField(fields, oneOf(draw, NAMES), anyPlain(draw, depth));
  return fields;
}
