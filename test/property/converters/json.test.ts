import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import json from '#troupe/converters/json/converter.js';
import { parseExact } from '#troupe/sdk/index.js';
import {
  DataError,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  parseConfigOrThrow,
  SchemaBuilder,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
  validateValue,
  type ConverterInstance,
  type Schema,
} from '#troupe/sdk/index.js';

interface Typed {
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
  type: 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FLOAT64' | 'BOOLEAN' | 'STRING' | 'BYTES',
  values: fc.Arbitrary<unknown>,
): Typed {
  return { schema: SchemaBuilder.of(type).build(), values };
}

const leaves: fc.Arbitrary<Typed> = fc.constantFrom<Typed>(
  primitive('INT8', int(8)),
  primitive('INT16', int(16)),
  primitive('INT32', int(32)),
  primitive('INT64', int64),
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

const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed }>((tie) => ({
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
      .uniqueArray(fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', 'constructor')), tie('any')), {
        selector: ([name]) => name,
        maxLength: 4,
      })
      .map(struct),
  ),
})).any;

function create(raw: Record<string, string>): ConverterInstance {
  return json.plugin.create(parseConfigOrThrow(json.plugin.config, raw), { isKey: false });
}

test('what is written is read back as the same schema and value', () => {
  for (const raw of [{}, { 'decimal.format': 'NUMERIC' }, { 'schemas.cache.size': '0' }]) {
    fc.assert(
      fc.property(
        typed.chain(({ schema, values }) =>
          fc.tuple(fc.constant(schema), fc.array(values, { minLength: 1, maxLength: 3 })),
        ),
        ([schema, values]) => {
          const converter = create(raw);
          for (const value of values) {
            validateValue(schema, value);
            const written = converter.fromConnectData('t', schema, value);
            assert.ok(typeof written === 'string');
            const back = converter.toConnectData('t', written);
            assert.deepStrictEqual(back.schema, schema);
            assert.deepStrictEqual(back.value, value);
          }
        },
      ),
      { numRuns: 300 },
    );
  }
});

test('JSON without a schema is read as JSON.parse reads it, but for digits', () => {
  const plain = create({ 'schemas.enable': 'false' });
  fc.assert(
    fc.property(fc.json(), (jsonText) => {
      const { value } = plain.toConnectData('t', jsonText);
      assert.deepStrictEqual(JSON.parse(JSON.stringify(value, numberText)), JSON.parse(jsonText));
    }),
  );
});

test('the exact parser agrees with JSON.parse, whatever the blanks', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ noUnicodeString: false }),
      fc.constantFrom('', ' ', '\n\t'),
      (value, blanks) => {
        const jsonText = JSON.stringify(value, null, blanks);
        assert.deepStrictEqual(
          JSON.parse(JSON.stringify(parseExact(jsonText), numberText)),
          JSON.parse(jsonText),
        );
      },
    ),
  );
});

function numberText(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'text' in value && Object.keys(value).length === 1
    ? Number(value.text)
    : typeof value === 'bigint'
      ? Number(value)
      : value;
}

test('whatever is sent, the converter answers with a value or a DataError', () => {
  const both = [create({}), create({ 'schemas.enable': 'false' })];
  const envelopes = fc
    .tuple(fc.jsonValue(), fc.jsonValue())
    .map(([schema, payload]) => JSON.stringify({ schema, payload }));
  const almostSchemas = fc
    .record(
      {
        type: fc.constantFrom('struct', 'array', 'map', 'int8', 'int64', 'bytes', 'string', 'nothing'),
        fields: fc.array(
          fc.record({ type: fc.constantFrom('int32', 'string', 'struct'), field: fc.string() }),
        ),
        items: fc.constantFrom({ type: 'int32' }, {}, null),
        keys: fc.constantFrom({ type: 'string' }, 5),
        values: fc.constantFrom({ type: 'int32' }, 5),
        name: fc.constantFrom(
          'org.apache.kafka.connect.data.Decimal',
          'org.apache.kafka.connect.data.Date',
          'x',
        ),
        parameters: fc.constantFrom({ scale: '2' }, { scale: 'x' }, {}),
        default: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    )
    .chain((schema) => fc.jsonValue().map((payload) => JSON.stringify({ schema, payload })));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), envelopes, almostSchemas), (input) => {
      for (const converter of both) {
        try {
          converter.toConnectData('t', input);
        } catch (error) {
          assert.ok(error instanceof DataError, String(error));
        }
      }
    }),
    { numRuns: 1000 },
  );
});
