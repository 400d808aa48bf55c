/** Against a real registry; docs/converters.md has what is tested here. */
import assert from 'node:assert/strict';
import { before, after, describe, test } from 'node:test';
import {
  DataError,
  Decimal,
  decimalSchema,
  INT32_SCHEMA,
  INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  parseConfigOrThrow,
  SchemaBuilder,
  STRING_SCHEMA,
  TIMESTAMP_SCHEMA,
  type ConverterInstance,
} from '@troupe/sdk';
import { apicurioAvailable, startApicurio, type RunningRegistry } from '@troupe/test-support/apicurio';
import { whenReady } from '@troupe/test-support/ready';
import { requireService } from '@troupe/test-support/require-service';
import avro from '../src/index.js';

const ORDER = SchemaBuilder.struct()
  .name('shop.Order')
  .version(3)
  .field('id', INT64_SCHEMA)
  .field('price', decimalSchema(2).build())
  .field('at', TIMESTAMP_SCHEMA)
  .field('note', OPTIONAL_STRING_SCHEMA)
  .field('count', SchemaBuilder.of('INT16').default(1).build())
  .build();
const VALUE = {
  id: 9007199254740993n,
  price: Decimal.parse('12.50'),
  at: new Date(1_000),
  note: null,
  count: 2,
};

describe('the Avro converter with a registry', { skip: requireService(apicurioAvailable()) }, () => {
  let registry: RunningRegistry;
  before(async () => {
    registry = await startApicurio();
  });
  after(() => registry.stop());

  function converter(more: Record<string, string> = {}, isKey = false): ConverterInstance {
    const config = parseConfigOrThrow(avro.plugin.config, { 'schema.registry.url': registry.url, ...more });
    return avro.plugin.create(config, { isKey });
  }

  async function get(path: string): Promise<Record<string, unknown>> {
    return (await (await fetch(registry.url + path)).json()) as Record<string, unknown>;
  }

  async function register(
    subject: string,
    schema: unknown,
    references: readonly object[] = [],
  ): Promise<number> {
    const response = await fetch(`${registry.url}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(schema), references }),
    });
    const { id } = (await response.json()) as { id: unknown };
    assert.ok(typeof id === 'number', `${subject} is not registered`);
    return id;
  }

  test('a record goes through another task with its schema, and no digit is lost', async () => {
    const [source, sink] = [converter(), converter()];
    const bytes = await whenReady(() => source.fromConnectData('orders', ORDER, VALUE));
    assert.ok(bytes instanceof Uint8Array);
    const back = await whenReady(() => sink.toConnectData('orders', bytes));
    assert.deepStrictEqual(back.schema, ORDER);
    assert.deepStrictEqual(back.value, VALUE);
    assert.equal(
      (await get('/subjects/orders-value/versions/latest'))['id'],
      Buffer.from(bytes).readInt32BE(1),
    );
  });

  test('no value is no value, on both sides', () => {
    assert.equal(converter().fromConnectData('t', ORDER, null), null);
    assert.deepEqual(converter().toConnectData('t', null), { schema: null, value: null });
  });

  test('subjects of keys and of record names are those that Confluent gives them', async () => {
    const keys = converter({}, true);
    await whenReady(() => keys.fromConnectData('keyed', STRING_SCHEMA, 'k'));
    const named = converter({ 'value.subject.name.strategy': 'TopicRecordNameStrategy' });
    await whenReady(() => named.fromConnectData('named', ORDER, VALUE));
    for (const subject of ['keyed-key', 'named-shop.Order'])
      assert.equal((await get(`/subjects/${subject}/versions/latest`))['subject'], subject);
  });

  test('an enum, a fixed, a union and a type of another subject are read as Confluent reads them', async () => {
    await register('colours', { type: 'enum', name: 'shop.Colour', symbols: ['RED', 'BLUE'] });
    const id = await register(
      'things-value',
      {
        type: 'record',
        name: 'shop.Thing',
        fields: [
          { name: 'colour', type: 'shop.Colour' },
          { name: 'hash', type: { type: 'fixed', name: 'H', size: 2 } },
          { name: 'either', type: ['null', 'int', 'string'] },
          { name: 'day', type: { type: 'int', logicalType: 'date' } },
        ],
      },
      [{ name: 'shop.Colour', subject: 'colours', version: 1 }],
    );
    const prefix = Buffer.alloc(5);
    prefix.writeInt32BE(id, 1);
    const body = Buffer.from([2, 0xab, 0xcd, 4, 2, 0x78, 2]);
    const reader = converter();
    const { schema, value } = await whenReady(() =>
      reader.toConnectData('things', Buffer.concat([prefix, body])),
    );
    assert.deepEqual(value, {
      colour: 'BLUE',
      hash: Uint8Array.of(0xab, 0xcd),
      either: { string: 'x' },
      day: new Date(86_400_000),
    });
    const [colour, hash, either] = schema?.fields ?? [];
    assert.deepEqual(colour?.schema.parameters, {
      'io.confluent.connect.avro.Enum': 'shop.Colour',
      'io.confluent.connect.avro.Enum.RED': 'RED',
      'io.confluent.connect.avro.Enum.BLUE': 'BLUE',
    });
    assert.deepEqual(hash?.schema.parameters, { 'connect.fixed.size': '2' });
    assert.deepEqual(
      [either?.schema.name, either?.schema.optional, either?.schema.fields?.map(({ name }) => name)],
      ['io.confluent.connect.avro.Union', true, ['int', 'string']],
    );
  });

  test('what is there already is written by, and the newest version where that is asked for', async () => {
    const strict = converter({ 'auto.register.schemas': 'false' });
    await assert.rejects(
      whenReady(() => strict.fromConnectData('unknown', INT32_SCHEMA, 1)),
      (error) => error instanceof DataError && error.code === 'UNKNOWN_SUBJECT',
    );
    const fields = [
      { name: 'id', type: 'long' },
      { name: 'more', type: 'string', default: 'none' },
    ];
    const id = await register('latest-value', { type: 'record', name: 'L', fields });
    const latest = converter({ 'auto.register.schemas': 'false', 'use.latest.version': 'true' });
    const schema = SchemaBuilder.struct().field('id', INT64_SCHEMA).build();
    const bytes = await whenReady(() => latest.fromConnectData('latest', schema, { id: 1 }));
    assert.ok(bytes instanceof Uint8Array);
    assert.equal(Buffer.from(bytes).readInt32BE(1), id);
    const { value } = await whenReady(() => latest.toConnectData('latest', bytes));
    assert.deepEqual(value, { id: 1, more: 'none' });
  });

  test('a bad record says where it is bad, and the next one is written', async () => {
    const source = converter();
    await whenReady(() => source.fromConnectData('bad', ORDER, VALUE));
    assert.throws(
      () => source.fromConnectData('bad', ORDER, { ...VALUE, id: 'x' }),
      (error) => error instanceof DataError && /^value\.id: text "x"/.test(error.message),
    );
    assert.throws(
      () => source.fromConnectData('bad', ORDER, { ...VALUE, other: 1 }),
      /value\.other: is no field/,
    );
    const good = source.fromConnectData('bad', ORDER, VALUE);
    assert.ok(good instanceof Uint8Array);
    assert.deepEqual(source.fromConnectData('bad', ORDER, VALUE), good);
    const sink = converter();
    for (const cut of [good.subarray(0, 9), Buffer.concat([good, Buffer.of(1)])])
      await assert.rejects(
        whenReady(() => sink.toConnectData('bad', cut)),
        (error) => error instanceof DataError && error.code === 'BAD_AVRO',
      );
    await assert.rejects(
      whenReady(() => sink.toConnectData('bad', Buffer.of(0, 0x7f, 0, 0, 0))),
      (error) => error instanceof DataError && error.code === 'UNKNOWN_SCHEMA_ID',
    );
  });

  test('a value without a schema, or with a name that Avro has not, is refused with what to do', () => {
    assert.throws(
      () => converter().fromConnectData('t', null, { a: 1 }),
      /JsonConverter with schemas\.enable=false/,
    );
    const dashed = SchemaBuilder.struct().field('a-b', INT32_SCHEMA).build();
    assert.throws(() => converter().fromConnectData('t', dashed, { 'a-b': 1 }), /rename it/);
    assert.throws(
      () =>
        avro.plugin.create(parseConfigOrThrow(avro.plugin.config, { 'schema.registry.url': registry.url }), {
          isKey: false,
          isHeader: true,
        }),
      /headers have no subjects/,
    );
  });
});
