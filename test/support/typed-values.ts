/** Schemas with values of them, for property tests and for oracles. */
import fc from 'fast-check';
import {
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  SchemaBuilder,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
  type Schema,
} from '#troupe/sdk/index.js';

export interface Typed {
  readonly schema: Schema;
  readonly values: fc.Arbitrary<unknown>;
}

const DAY_MS = 86_400_000;
const int = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const int64 = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
const text = fc.string({ unit: 'binary' });
const float = fc.double();

function primitive(
  type: 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FLOAT32' | 'FLOAT64' | 'BOOLEAN' | 'STRING' | 'BYTES',
  values: fc.Arbitrary<unknown>,
): Typed {
  return { schema: SchemaBuilder.of(type).build(), values };
}

/** Kafka takes none that is empty; JavaScript moves those that are numbers to the front. */
const fieldName = text.filter((name) => name !== '' && !/^\d+$/.test(name));

export const leaves: fc.Arbitrary<Typed> = fc.constantFrom<Typed>(
  primitive('INT8', int(8)),
  primitive('INT16', int(16)),
  primitive('INT32', int(32)),
  primitive('INT64', int64),
  primitive('FLOAT32', fc.float()),
  primitive('FLOAT64', float),
  primitive('BOOLEAN', fc.boolean()),
  primitive('STRING', text),
  primitive('BYTES', fc.uint8Array()),
  { schema: DATE_SCHEMA, values: int(18).map((days) => new Date(days * DAY_MS)) },
  { schema: TIME_SCHEMA, values: fc.nat({ max: DAY_MS - 1 }).map((ms) => new Date(ms)) },
  { schema: TIMESTAMP_SCHEMA, values: fc.date({ noInvalidDate: true }) },
  { schema: decimalSchema(3).build(), values: fc.bigInt().map((unscaled) => new Decimal(unscaled, 3)) },
);

function nullable({ schema, values }: Typed): Typed {
  return { schema: SchemaBuilder.from(schema).optional().build(), values: fc.option(values) };
}

function struct(fields: readonly (readonly [string, Typed])[]): Typed {
  const builder = SchemaBuilder.struct();
  for (const [name, typed] of fields) builder.field(name, typed.schema);
  const values = fc
    .tuple(...fields.map(([name, typed]) => typed.values.map((value) => [name, value] as const)))
    .map((entries): unknown => Object.fromEntries(entries));
  return { schema: builder.build(), values };
}

export const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaves,
    tie('any').map(nullable),
    tie('any').map(({ schema, values }) => ({
      schema: SchemaBuilder.array(schema).build(),
      values: fc.array(values, { maxLength: 4 }),
    })),
    fc.tuple(leaves, tie('any')).map(([key, item]) => ({
      schema: SchemaBuilder.map(key.schema, item.schema).build(),
      values:
        key.schema.type === 'STRING'
          ? fc
              .array(fc.tuple(text, item.values), { maxLength: 4 })
              .map((entries): unknown => Object.fromEntries(entries))
          : fc
              .array(fc.tuple(key.values, item.values), { maxLength: 1 })
              .map((entries): unknown => new Map(entries)),
    })),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fieldName, fc.constantFrom('__proto__', 'constructor')), tie('any')), {
        selector: ([name]) => name,
        maxLength: 4,
      })
      .map(struct),
  ),
})).any;
