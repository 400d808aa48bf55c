import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BYTES_SCHEMA,
  copyFields,
  DataError,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  fieldOf,
  FLOAT64_SCHEMA,
  INT32_SCHEMA,
  INT64_SCHEMA,
  INT8_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  SchemaBuilder,
  setField,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
  validateValue,
  type Schema,
} from '#troupe/sdk/index.js';

const ITEM = SchemaBuilder.struct()
  .field('price', INT32_SCHEMA)
  .field('note', OPTIONAL_STRING_SCHEMA)
  .build();
const ORDER = SchemaBuilder.struct()
  .name('order')
  .field('id', INT64_SCHEMA)
  .field('items', SchemaBuilder.array(ITEM).build())
  .field('tags', SchemaBuilder.map(STRING_SCHEMA, INT32_SCHEMA).optional().build())
  .build();

function problem(schema: Schema, value: unknown): string {
  try {
    validateValue(schema, value);
  } catch (error) {
    assert.ok(error instanceof DataError && error.code === 'SCHEMA_MISMATCH', String(error));
    return error.message;
  }
  return 'none';
}

test('a value that does not fit is refused with the path to what is wrong', () => {
  const good = { id: 1n, items: [{ price: 2 }, { price: 3, note: null }], tags: { a: 1 } };
  assert.equal(problem(ORDER, good), 'none');
  assert.match(
    problem(ORDER, { ...good, items: [{ price: 1 }, { price: '2' }] }),
    /^value\.items\[1\]\.price: must be INT32, not text "2"/,
  );
  assert.match(problem(ORDER, { ...good, id: undefined }), /^value\.id: is missing/);
  assert.match(
    problem(ORDER, { ...good, extra: 1 }),
    /^value\.extra: is not a field of the schema \(schema order\)/,
  );
  assert.match(problem(ORDER, { ...good, tags: { a: 'x' } }), /^value\.tags\[text "a"\]: must be INT32/);
  assert.match(problem(ORDER, [1]), /^value: must be STRUCT, not an array of 1/);
});

test('the limits of numbers are those of their types', () => {
  assert.equal(problem(INT8_SCHEMA, -128), 'none');
  assert.match(problem(INT8_SCHEMA, 128), /must be INT8/);
  assert.match(problem(INT32_SCHEMA, 1.5), /must be INT32/);
  assert.equal(problem(INT64_SCHEMA, 2n ** 63n - 1n), 'none');
  assert.match(problem(INT64_SCHEMA, 2n ** 63n), /must be INT64/);
  assert.match(problem(INT64_SCHEMA, 2 ** 53), /must be INT64/);
  assert.equal(problem(FLOAT64_SCHEMA, NaN), 'none');
  assert.equal(problem(BYTES_SCHEMA, Buffer.from('x')), 'none');
});

test('logical types take Dates and Decimals', () => {
  assert.equal(problem(TIMESTAMP_SCHEMA, new Date(5)), 'none');
  assert.match(problem(TIMESTAMP_SCHEMA, 5), /must be a valid Date, not number 5/);
  assert.match(problem(TIMESTAMP_SCHEMA, new Date(NaN)), /valid Date/);
  assert.equal(problem(DATE_SCHEMA, new Date(86_400_000)), 'none');
  assert.match(problem(DATE_SCHEMA, new Date(1)), /midnight/);
  assert.match(problem(TIME_SCHEMA, new Date(86_400_000)), /1970-01-01/);
  assert.equal(problem(decimalSchema(2).build(), Decimal.parse('1.25')), 'none');
  assert.match(problem(decimalSchema(2).build(), Decimal.parse('1.234')), /more than 2 digits/);
});

test('a builder refuses a field that stands twice, and fields where there can be none', () => {
  const bad = (error: unknown): boolean => error instanceof DataError && error.code === 'BAD_SCHEMA';
  assert.throws(() => SchemaBuilder.struct().field('a', INT32_SCHEMA).field('a', INT32_SCHEMA), bad);
  assert.throws(() => SchemaBuilder.of('STRING').field('a', INT32_SCHEMA), bad);
});

test('a schema cannot be changed, and a builder starts from all of it', () => {
  const schema = SchemaBuilder.struct()
    .name('n')
    .version(2)
    .doc('d')
    .parameter('p', 'q')
    .field('a', INT32_SCHEMA)
    .build();
  assert.deepEqual(SchemaBuilder.from(schema).build(), schema);
  assert.throws(() => Object.assign(schema, { optional: true }), TypeError);
  const other = SchemaBuilder.from(schema).optional().field('b', STRING_SCHEMA).build();
  assert.deepEqual([other.optional, other.fields?.length, schema.fields?.length], [true, 2, 1]);
});

test('a decimal keeps every digit', () => {
  for (const text of ['0', '-1', '12.50', '-0.01', '123456789012345678901234567890.000000000000000000001']) {
    assert.equal(Decimal.parse(text).toString(), text);
  }
  assert.equal(Decimal.parse('1e3').toString(), '1000');
  assert.equal(Decimal.parse('.5').withScale(3).toString(), '0.500');
  assert.throws(() => Decimal.parse('1.25').withScale(1), /more than 1 digits/);
  for (const text of ['', '.', 'x', '1,5', '0x1', 'NaN', '1e999999']) {
    assert.throws(
      () => Decimal.parse(text),
      (error) => error instanceof DataError && error.code === 'BAD_DECIMAL',
      text,
    );
  }
});

test('a field called __proto__ is data', () => {
  const fields: Record<string, unknown> = {};
  setField(fields, '__proto__', { polluted: true });
  assert.equal(Object.getPrototypeOf(fields), Object.prototype);
  assert.deepEqual(fieldOf(fields, '__proto__'), { polluted: true });
  assert.equal(fieldOf(fields, 'polluted'), undefined);
  assert.equal(fieldOf({}, 'constructor'), undefined);
  const copy = copyFields(fields);
  assert.deepEqual(Object.keys(copy), ['__proto__']);
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
});
