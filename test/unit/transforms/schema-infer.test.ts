import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DataError,
  Decimal,
  OPTIONAL_FLOAT64_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  STRING_SCHEMA,
  validateValue,
  type Schema,
  type SourceRecord,
} from '#troupe/sdk/index.js';
import type { TransformChain } from '#troupe/plugins/transform-chain.js';
import { record, single } from './transforms.js';

const applied = (chain: TransformChain, value: unknown, more: Partial<SourceRecord> = {}): SourceRecord => {
  const out = chain.apply(record(null, value, more));
  assert.ok(out !== null);
  return out;
};
const fields = (schema: Schema | null): Record<string, Schema> =>
  Object.fromEntries((schema?.fields ?? []).map(({ name, schema: of }) => [name, of]));
const fails =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof DataError && error.code === code;

test('a schema grows by what comes, in one order of fields, and stays the very same while nothing does', async () => {
  const chain = await single('SchemaInfer$Value', { 'schema.name': 'of.${topic}' });
  const first = applied(chain, { b: 1, a: 'x' }, { topic: 't' });
  assert.deepEqual(fields(first.valueSchema), { a: OPTIONAL_STRING_SCHEMA, b: OPTIONAL_INT64_SCHEMA });
  assert.deepEqual(Object.keys(fields(first.valueSchema)), ['a', 'b']);
  assert.deepEqual([first.valueSchema?.name, first.valueSchema?.version], ['of.t', 1]);
  assert.equal(applied(chain, { b: 2 }, { topic: 't' }).valueSchema, first.valueSchema);
  const wider = applied(chain, { b: 2.5, none: null }, { topic: 't' });
  assert.deepEqual(fields(wider.valueSchema), { a: OPTIONAL_STRING_SCHEMA, b: OPTIONAL_FLOAT64_SCHEMA });
  assert.deepEqual([wider.valueSchema?.version, wider.value], [2, { b: 2.5 }]);
  const other = applied(chain, { none: 1 }, { topic: 'other' });
  assert.deepEqual(fields(other.valueSchema), { none: OPTIONAL_INT64_SCHEMA });
  assert.deepEqual(other.valueSchema?.version, 1);
});

test('a value with a schema, and none at all, pass as they are', async () => {
  const chain = await single('SchemaInfer$Value', {});
  const given = record(STRING_SCHEMA, 'x');
  assert.equal(chain.apply(given), given);
  const none = record(null, null);
  assert.equal(chain.apply(none), none);
});

test('two types that have nothing in common are an error that changes nothing, or a text', async () => {
  const strict = await single('SchemaInfer$Value', {});
  applied(strict, { a: 1 });
  assert.throws(() => strict.apply(record(null, { a: 'x', b: 1 })), fails('SCHEMA_CONFLICT'));
  assert.deepEqual(Object.keys(fields(applied(strict, { a: 2 }).valueSchema)), ['a']);
  const texts = await single('SchemaInfer$Value', { 'on.conflict': 'string' });
  applied(texts, { a: 1 });
  assert.deepEqual(applied(texts, { a: true }).value, { a: 'true' });
  assert.deepEqual(applied(texts, { a: 5 }).value, { a: '5' });
  assert.throws(() => texts.apply(record(null, { a: {} })), fails('SCHEMA_CONFLICT'));
});

test('fields, depth and topics are bounded', async () => {
  const few = await single('SchemaInfer$Value', { 'max.fields': '2' });
  applied(few, { a: 1, b: 1 });
  assert.throws(() => few.apply(record(null, { c: 1 })), fails('SCHEMA_TOO_LARGE'));
  applied(few, { b: 2 });
  let deep: unknown = 1;
  for (let i = 0; i < 200; i += 1) deep = [deep];
  assert.throws(() => few.apply(record(null, deep, { topic: 'deep' })), fails('SCHEMA_TOO_LARGE'));
  const topics = await single('SchemaInfer$Value', { 'max.topics': '2', 'schema.name': 's' });
  const version = (topic: string, value: object): number | undefined =>
    applied(topics, value, { topic }).valueSchema?.version;
  version('a', { x: 1 });
  assert.equal(version('a', { y: 1 }), 2);
  version('b', { x: 1 });
  version('a', { x: 1 });
  version('c', { x: 1 });
  assert.equal(version('a', { z: 1 }), 3);
  assert.equal(version('b', { y: 1 }), 1);
});

test('without evolve each record has the schema that it says itself', async () => {
  const chain = await single('SchemaInfer$Value', { evolve: 'false' });
  applied(chain, { a: 1 });
  assert.deepEqual(Object.keys(fields(applied(chain, { b: 'x' }).valueSchema)), ['b']);
});

test('every value fits the schema it is given, and the last schema does not depend on the order', async () => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }).map(Number),
    fc.string({ maxLength: 3 }),
    fc.boolean(),
    fc.integer({ min: -50, max: 50 }).map((n) => new Decimal(BigInt(n), Math.abs(n % 3))),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 3 }),
  );
  const value = fc.record(
    {
      a: scalar,
      b: fc.array(fc.record({ x: scalar, y: scalar }, { requiredKeys: [] }), { maxLength: 3 }),
      c: fc.record({ a: scalar, __proto__: fc.constant(null) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const last = async (values: readonly unknown[]): Promise<Schema | null> => {
    const chain = await single('SchemaInfer$Value', { 'on.conflict': 'string' });
    let schema: Schema | null = null;
    for (const one of values) {
      const out = applied(chain, one);
      assert.ok(out.valueSchema !== null);
      validateValue(out.valueSchema, out.value);
      schema = out.valueSchema;
    }
    return schema;
  };
  const lists = fc.array(value, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lists, async (values) => {
      assert.deepEqual(await last(values), await last([...values].reverse()));
    }),
    { numRuns: Number(process.env['SCHEMA_RUNS'] ?? 300) },
  );
});
