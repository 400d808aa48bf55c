import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configureTransforms } from '#troupe/plugins/transform-chain.js';
import {
  DataError,
  Decimal,
  decimalSchema,
  SchemaBuilder,
  type Schema,
  type SourceRecord,
} from '#troupe/sdk/index.js';
import { catalog, record, SCHEMA, single, STRUCT } from './transforms.js';

async function keeps(
  condition: string,
  value: unknown,
  more: Partial<SourceRecord> = {},
  schema: Schema | null = null,
): Promise<boolean> {
  return (await single('Filter', { condition })).apply(record(schema, value, more)) !== null;
}

async function routed(
  expression: string,
  value: unknown,
  more: Partial<SourceRecord> = {},
): Promise<string | null | undefined> {
  return (await single('Router', { 'topic.expression': expression })).apply(record(null, value, more))?.topic;
}

async function refused(type: string, key: string, expression: string): Promise<string> {
  const raw = { transforms: 't', 'transforms.t.type': type, [`transforms.t.${key}`]: expression };
  return (await configureTransforms(raw, catalog)).issues
    .map(({ field, reason }) => `${field} ${reason}`)
    .join('\n');
}

async function fails(condition: string, value: unknown): Promise<void> {
  await assert.rejects(
    keeps(condition, value),
    (error) => error instanceof DataError && error.code === 'EXPRESSION_FAILED',
  );
}

test('a filter with a condition keeps the records for which it is true', async () => {
  const order = { id: 5, price: 9.5, to: { name: 'Ada', tags: ['new', 'big'] }, note: null };
  const cases: readonly (readonly [string, boolean])[] = [
    ['value.id == 5', true],
    ['value.id > 5', false],
    ['value.price * 2 == 19', true],
    ['value.id % 2 == 1 && 1 + value.id == 6 && value.id / 2 == 2.5', true],
    ['value.to.name.startsWith("A") && "new" in value.to.tags', true],
    ['value.to.tags.exists(tag, tag == "old")', false],
    ['has(value.missing) && value.missing == 1', false],
    ['value.note == null', true],
    ['topic == "orders" && queue == 3', true],
    ['timestamp < timestamp("2023-11-15T00:00:00Z")', true],
    ['headers.kind == "x" && !("other" in headers)', true],
    ['key == "k"', true],
  ];
  const headers = [{ key: 'kind', schema: null, value: 'x' }];
  for (const [condition, kept] of cases)
    assert.equal(await keeps(condition, order, { headers, key: 'k' }), kept, condition);
});

test('numbers beyond 2^53 and decimals are compared exactly, and as numbers', async () => {
  assert.equal(await keeps('value.id == 9007199254740993', { id: 9007199254740993n }), true);
  assert.equal(await keeps('value.id == 9007199254740992', { id: 9007199254740993n }), false);
  const schema = SchemaBuilder.struct().field('sum', decimalSchema(2).build()).build();
  const value = { sum: Decimal.parse('12.50') };
  assert.equal(
    await keeps('double(value.sum) > 12 && string(value.sum) == "12.50"', value, {}, schema),
    true,
  );
});

test('a field that a struct leaves out is null, or what its schema says', async () => {
  assert.equal(await keeps('value.price == 9.5 && value.name == "bob"', STRUCT, {}, SCHEMA), true);
  assert.equal(await keeps('value.name == null', { id: 1 }, {}, SCHEMA), true);
  await fails('value.name == null', { id: 1 });
});

test('what an expression cannot be evaluated for makes the record a bad one, and nothing of JavaScript is reached', async () => {
  for (const condition of [
    'value.id > "x"',
    'value.constructor == null',
    'value.__proto__ == null',
    'value.id',
    'value.id.size() == 1',
  ])
    await fails(condition, { id: 5 });
});

test('a router sends records where its expression says', async () => {
  assert.equal(
    await routed('value.total > 1000 ? topic + "-large" : topic', { total: 5000 }),
    'orders-large',
  );
  assert.equal(await routed('value.total > 1000 ? topic + "-large" : topic', { total: 5 }), 'orders');
  assert.equal(await routed('value.shop', { shop: null }), 'orders');
  assert.equal(await routed('has(value.shop) ? "shop-" + value.shop : topic', {}), 'orders');
  await assert.rejects(routed('value.total', { total: 5 }), DataError);
  await assert.rejects(routed('""', {}), DataError);
});

test('what is no expression, or gives the wrong type, is refused with the configuration', async () => {
  assert.match(
    await refused('Filter', 'condition', 'value.id ='),
    /transforms\.t\.condition condition is no such expression/,
  );
  assert.match(await refused('Filter', 'condition', 'valeu.id == 1'), /Unknown variable: valeu/);
  assert.match(await refused('Filter', 'condition', '1 + 1'), /it gives int, and is to give bool/);
  assert.match(
    await refused('Filter', 'condition', `${'('.repeat(100)}true${')'.repeat(100)}`),
    /condition is no such expression/,
  );
  assert.match(
    await refused('Router', 'topic.expression', 'value == 1'),
    /it gives bool, and is to give string/,
  );
});
