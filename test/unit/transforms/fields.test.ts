/** Expected values are what Kafka Connect 4.3.1 makes of the same records, unless the name of the test says otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DataError,
  Decimal,
  decimalSchema,
  OPTIONAL_STRING_SCHEMA,
  SchemaBuilder,
  STRING_SCHEMA,
  type Schema,
} from '#troupe/sdk/index.js';
import { fieldsOf, OBJECT, record, SCHEMA, single, STRUCT } from './transforms.js';

async function value(
  type: string,
  options: Record<string, string>,
  schema: Schema | null,
  from: unknown,
): Promise<unknown> {
  return (await single(type, options)).apply(record(schema, from))?.value;
}

async function refused(
  type: string,
  options: Record<string, string>,
  schema: Schema | null,
  from: unknown,
  why: RegExp,
): Promise<void> {
  const chain = await single(type, options);
  assert.throws(
    () => chain.apply(record(schema, from)),
    (error) =>
      error instanceof DataError && why.test(error.message) && error.message.startsWith('transform t: '),
  );
}

const INSERT = {
  'static.field': 'st!',
  'static.value': 'sv',
  'topic.field': 'to',
  'partition.field': 'pa?',
  'timestamp.field': 'ts',
};

test('InsertField adds facts about the record to a struct, and to its schema', async () => {
  const out = (await single('InsertField$Value', INSERT)).apply(record(SCHEMA, STRUCT));
  const ts = new Date(1_700_000_000_123);
  assert.deepEqual(out?.value, { id: 5, name: 'bob', price: 9.5, to: 'orders', pa: 3, ts, st: 'sv' });
  const fields = [
    'id INT64',
    'name STRING?',
    'price FLOAT64?',
    'to STRING?',
    'pa INT32?',
    'ts INT64?',
    'st STRING',
  ];
  assert.deepEqual(fieldsOf(out.valueSchema), fields);
  assert.deepEqual([out.valueSchema?.name, out.valueSchema?.optional], ['v', false]);
  assert.deepEqual(STRUCT, { id: 5, name: 'bob' });
});

test('InsertField without a schema adds plain values', async () => {
  const ts = 1_700_000_000_123;
  const expected = { id: 5, name: 'bob', price: null, to: 'orders', pa: 3, ts, st: 'sv' };
  assert.deepEqual(await value('InsertField$Value', INSERT, null, OBJECT), expected);
});

test('InsertField lets tombstones pass, and refuses what has no fields', async () => {
  assert.equal(await value('InsertField$Value', INSERT, SCHEMA, null), null);
  assert.equal(await value('InsertField$Value', INSERT, null, null), null);
  await refused('InsertField$Value', INSERT, STRING_SCHEMA, 'x', /InsertField needs a struct, not text "x"/);
  await refused('InsertField$Value', { 'offset.field': 'o' }, SCHEMA, STRUCT, /only in sink connectors/);
  await refused(
    'InsertField$Value',
    { 'static.field': 'id', 'static.value': 'x' },
    SCHEMA,
    STRUCT,
    /"id" stands twice/,
  );
});

test('InsertField knows the offset of a sink record', async () => {
  const chain = await single('InsertField$Value', { 'offset.field': 'o!' });
  const sink = { topic: 't', queue: 0, offset: 42, keySchema: null, key: null, timestamp: null, headers: [] };
  const out = chain.apply({ ...sink, valueSchema: SCHEMA, value: STRUCT });
  assert.equal(out?.offset, 42);
  assert.deepEqual((out.value as { o?: unknown }).o, 42);
  assert.equal(fieldsOf(out.valueSchema).at(-1), 'o INT64');
});

test('a null becomes the default of its field, or stays, as replace.null.with.default says', async () => {
  const keep = { 'replace.null.with.default': 'false' };
  const insert = { 'static.field': 'st', 'static.value': 'sv' };
  assert.deepEqual(await value('InsertField$Value', { ...insert, ...keep }, SCHEMA, STRUCT), {
    ...STRUCT,
    st: 'sv',
  });
  assert.deepEqual(await value('ReplaceField$Value', { renames: 'price:cost' }, SCHEMA, STRUCT), {
    ...STRUCT,
    cost: 9.5,
  });
  const cost = await value('ReplaceField$Value', { renames: 'price:cost', ...keep }, SCHEMA, STRUCT);
  assert.deepEqual(cost, { ...STRUCT, cost: null });
  assert.equal(await value('ExtractField$Value', { field: 'price' }, SCHEMA, STRUCT), 9.5);
  assert.equal(await value('ExtractField$Value', { field: 'price', ...keep }, SCHEMA, STRUCT), null);
});

test('ReplaceField leaves out and renames', async () => {
  const out = (await single('ReplaceField$Value', { exclude: 'name', renames: 'id:key' })).apply(
    record(SCHEMA, STRUCT),
  );
  assert.deepEqual(out?.value, { key: 5, price: 9.5 });
  assert.deepEqual(fieldsOf(out.valueSchema), ['key INT64', 'price FLOAT64?']);
  const some = { include: 'id,name', renames: 'id:key' };
  assert.deepEqual(await value('ReplaceField$Value', some, null, OBJECT), { key: 5, name: 'bob' });
  const swap = { renames: 'id:name,name:id' };
  assert.deepEqual(await value('ReplaceField$Value', swap, SCHEMA, STRUCT), {
    name: 5,
    id: 'bob',
    price: 9.5,
  });
  assert.deepEqual(await value('ReplaceField$Value', swap, null, OBJECT), {
    name: 5,
    id: 'bob',
    price: null,
  });
  assert.equal(await value('ReplaceField$Value', swap, SCHEMA, null), null);
  await refused('ReplaceField$Value', swap, null, 'x', /ReplaceField needs an object/);
});

test('ReplaceField answers to the old names of its keys', async () => {
  assert.deepEqual(await value('ReplaceField$Value', { blacklist: 'name' }, null, OBJECT), {
    id: 5,
    price: null,
  });
});

test('HoistField wraps what there is, also null', async () => {
  const out = (await single('HoistField$Value', { field: 'f' })).apply(record(STRING_SCHEMA, 'x'));
  assert.deepEqual([out?.value, fieldsOf(out?.valueSchema ?? null)], [{ f: 'x' }, ['f STRING']]);
  assert.deepEqual(await value('HoistField$Value', { field: 'f' }, null, null), { f: null });
  assert.deepEqual(await value('HoistField$Value', { field: 'f' }, OPTIONAL_STRING_SCHEMA, null), {
    f: null,
  });
  const key = (await single('HoistField$Key', { field: 'f' })).apply(record(null, 'v', { key: 'k' }));
  assert.deepEqual([key?.key, key?.value], [{ f: 'k' }, 'v']);
});

test('ExtractField takes one field, by name or by path', async () => {
  const field = (name: string, from: unknown, version = 'V2'): Promise<unknown> =>
    value('ExtractField$Value', { field: name, 'field.syntax.version': version }, null, from);
  assert.equal(await field('a.b', { a: { b: 1 } }), 1);
  assert.equal(await field('a.b', { 'a.b': 2 }, 'V1'), 2);
  assert.equal(await field('`a.b`.c', { 'a.b': { c: 1 } }), 1);
  assert.equal(await field('`a`b`.c', { 'a`b': { c: 1 } }), 1);
  assert.equal(await field('`a\\`.b`.c', { 'a`.b': { c: 1 } }), 1);
  assert.equal(await field('a`b.c', { 'a`b': { c: 1 } }), 1);
  assert.equal(await field('a..b', { a: { '': { b: 1 } } }), 1);
  assert.equal(await field('a.', { a: { '': 1 } }), 1);
  assert.equal(await field('a.z', { a: { b: 1 } }), null);
  assert.equal(await field('constructor', {}), null);
  const out = (await single('ExtractField$Value', { field: 'name' })).apply(record(SCHEMA, STRUCT));
  assert.deepEqual([out?.value, out?.valueSchema], ['bob', OPTIONAL_STRING_SCHEMA]);
  assert.equal(await value('ExtractField$Value', { field: 'name' }, SCHEMA, null), null);
  await refused('ExtractField$Value', { field: 'zz' }, SCHEMA, STRUCT, /no field zz/);
  await refused('ExtractField$Value', { field: 'a' }, null, 'x', /needs an object/);
});

test('MaskField empties fields, or replaces them', async () => {
  assert.deepEqual(await value('MaskField$Value', { fields: 'id,name' }, SCHEMA, STRUCT), {
    id: 0,
    name: '',
    price: 9.5,
  });
  const all = { fields: 'id,name,price' };
  assert.deepEqual(await value('MaskField$Value', all, null, OBJECT), { id: 0, name: '', price: null });
  const replaced = { fields: 'id,name', replacement: '7' };
  assert.deepEqual(await value('MaskField$Value', replaced, SCHEMA, STRUCT), {
    id: 7,
    name: '7',
    price: 9.5,
  });
  const decimal = SchemaBuilder.struct().field('d', decimalSchema(2).build()).build();
  const masked = await value('MaskField$Value', { fields: 'd', replacement: '1.5' }, decimal, {
    d: Decimal.parse('9.99'),
  });
  assert.deepEqual(masked, { d: Decimal.parse('1.50') });
  const kinds = { a: [1], m: { x: 1 }, b: true, t: new Date(5) };
  const emptied = { a: [], m: {}, b: false, t: new Date(0) };
  assert.deepEqual(await value('MaskField$Value', { fields: 'a,m,b,t' }, null, kinds), emptied);
  await refused(
    'MaskField$Value',
    { fields: 'id', replacement: 'abc' },
    SCHEMA,
    STRUCT,
    /cannot put "abc" in the place of a number/,
  );
  await refused('MaskField$Value', { fields: 'b', replacement: '7' }, null, { b: true }, /replacement/);
});

test('MaskField lets tombstones pass, where Kafka Connect fails', async () => {
  assert.equal(await value('MaskField$Value', { fields: 'id' }, SCHEMA, null), null);
});

test('ValueToKey makes the key of fields of the value', async () => {
  const out = (await single('ValueToKey', { fields: 'id,price' })).apply(
    record(SCHEMA, STRUCT, { key: 'old' }),
  );
  assert.deepEqual(
    [out?.key, fieldsOf(out?.keySchema ?? null)],
    [{ id: 5, price: 9.5 }, ['id INT64', 'price FLOAT64?']],
  );
  assert.equal(out?.value, STRUCT);
  const plain = (await single('ValueToKey', { fields: 'id,zz' })).apply(record(null, OBJECT));
  assert.deepEqual([plain?.key, plain?.keySchema], [{ id: 5, zz: null }, null]);
  await refused('ValueToKey', { fields: 'zz' }, SCHEMA, STRUCT, /no field zz/);
  await refused(
    'ValueToKey',
    { fields: 'id' },
    SCHEMA,
    null,
    /tombstone: leave such records out by a predicate/,
  );
});

test('fields called __proto__ stay data through every transform', async () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"id":5}');
  const steps: readonly (readonly [string, Record<string, string>])[] = [
    ['InsertField$Value', { 'static.field': 'st', 'static.value': 'x' }],
    ['ReplaceField$Value', { exclude: 'nothing' }],
    ['MaskField$Value', { fields: 'id' }],
  ];
  for (const [type, options] of steps) {
    const out = await value(type, options, null, hostile);
    assert.ok(typeof out === 'object' && out !== null);
    assert.equal(Object.getPrototypeOf(out), Object.prototype, type);
    assert.deepEqual(Object.keys(out).slice(0, 3), ['__proto__', 'constructor', 'id'], type);
  }
  const named = await value('ReplaceField$Value', { renames: 'id:__proto__' }, SCHEMA, STRUCT);
  assert.deepEqual(Object.keys(named as object), ['__proto__', 'name', 'price']);
});
