import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import json from '#troupe/converters/json/converter.js';
import { parseExact } from '#troupe/sdk/index.js';
import { DataError, parseConfigOrThrow, validateValue, type ConverterInstance } from '#troupe/sdk/index.js';
import { typed } from '../../support/typed-values.js';

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
