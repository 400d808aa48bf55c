/** Against a real registry; docs/converters.md has what is tested here. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  DataError,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  INT32_SCHEMA,
  INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  parseConfigOrThrow,
  SchemaBuilder,
  STRING_SCHEMA,
  type ConverterInstance,
} from '@troupe/sdk';
import { apicurioAvailable, startApicurio, type RunningRegistry } from '@troupe/test-support/apicurio';
import { whenReady } from '@troupe/test-support/ready';
import { requireService } from '@troupe/test-support/require-service';
import jsonSchema from '../src/index.js';

const ORDER = SchemaBuilder.struct()
  .name('shop.Order')
  .version(3)
  .field('id', INT64_SCHEMA)
  .field('price', decimalSchema(2).build())
  .field('day', DATE_SCHEMA)
  .field('note', OPTIONAL_STRING_SCHEMA)
  .field('tags', SchemaBuilder.array(STRING_SCHEMA).build())
  .field('names', SchemaBuilder.map(STRING_SCHEMA, INT32_SCHEMA).build())
  .field('codes', SchemaBuilder.map(INT32_SCHEMA, STRING_SCHEMA).build())
  .field('count', SchemaBuilder.of('INT16').default(1).doc('how many').build())
  .field('hash', SchemaBuilder.of('BYTES').build())
  .build();
const VALUE = {
  id: 9007199254740993n,
  price: Decimal.parse('12.50'),
  day: new Date(86_400_000),
  note: null,
  tags: ['a', 'b'],
  names: { x: 1 },
  codes: new Map([[7, 'seven']]),
  count: 2,
  hash: Uint8Array.of(1, 2),
};

describe('the JSON Schema converter with a registry', { skip: requireService(apicurioAvailable()) }, () => {
  let registry: RunningRegistry;
  before(async () => {
    registry = await startApicurio();
  });
  after(() => registry.stop());

  function converter(more: Record<string, string> = {}): ConverterInstance {
    const { plugin } = jsonSchema;
    const config = parseConfigOrThrow(plugin.config, { 'schema.registry.url': registry.url, ...more });
    return plugin.create(config, { isKey: false });
  }

  async function register(subject: string, schema: object): Promise<Buffer> {
    const response = await fetch(`${registry.url}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({
        schemaType: 'JSON',
        schema: JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }),
      }),
    });
    const { id } = (await response.json()) as { id: unknown };
    assert.ok(typeof id === 'number', `${subject} is not registered`);
    const prefix = Buffer.alloc(5);
    prefix.writeInt32BE(id, 1);
    return prefix;
  }

  test('a record goes through another task with its schema, and no digit is lost', async () => {
    for (const more of [{}, { 'decimal.format': 'NUMERIC', 'json.fail.invalid.schema': 'true' }]) {
      const [source, sink] = [converter(more), converter(more)];
      const topic = `orders-${Object.keys(more).length}`;
      const bytes = await whenReady(() => source.fromConnectData(topic, ORDER, VALUE));
      assert.ok(bytes instanceof Uint8Array);
      const back = await whenReady(() => sink.toConnectData(topic, bytes));
      assert.deepStrictEqual(back.schema, ORDER);
      assert.deepStrictEqual(back.value, VALUE);
    }
    assert.equal(converter().fromConnectData('t', ORDER, null), null);
  });

  test("others' schemas are read: enums, references within, lists of types, properties in any order", async () => {
    const prefix = await register('theirs-value', {
      type: 'object',
      definitions: { colour: { type: 'string', enum: ['red', 'blue'] } },
      properties: {
        colour: { $ref: '#/definitions/colour' },
        size: { type: ['null', 'number'] },
        count: { type: 'integer' },
      },
    });
    const sink = converter();
    const read = (text: string) =>
      whenReady(() => sink.toConnectData('theirs', Buffer.concat([prefix, Buffer.from(text)])));
    const { schema, value } = await read('{"colour":"red","size":null,"count":9223372036854775807}');
    assert.deepEqual(value, { colour: 'red', size: null, count: 9223372036854775807n });
    assert.deepEqual(
      schema?.fields?.map((field) => [field.name, field.schema.type, field.schema.optional]),
      [
        ['colour', 'STRING', false],
        ['size', 'FLOAT64', true],
        ['count', 'INT64', false],
      ],
    );
    const bad = (error: unknown): boolean => error instanceof DataError;
    for (const text of ['{"colour":1,"count":1}', '{"colour":"red"}', 'no json'])
      await assert.rejects(read(text), bad);
  });

  test('what does not fit the JSON Schema is refused where that is asked for', async () => {
    const prefix = await register('checked-value', {
      type: 'object',
      properties: { n: { type: 'integer', maximum: 10 } },
    });
    const data = Buffer.concat([prefix, Buffer.from('{"n":11}')]);
    const [lax, strict] = [converter(), converter({ 'json.fail.invalid.schema': 'true' })];
    assert.deepEqual((await whenReady(() => lax.toConnectData('checked', data))).value, { n: 11 });
    await assert.rejects(
      whenReady(() => strict.toConnectData('checked', data)),
      (error) =>
        error instanceof DataError &&
        /value\.n does not fit its JSON Schema: it must be <= 10/.test(error.message),
    );
  });

  test('a schema that says more than one of records can is refused', async () => {
    for (const [subject, part] of [
      ['choice-value', { oneOf: [{ type: 'string' }, { type: 'integer' }] }],
      ['all-value', { allOf: [{ type: 'string' }] }],
    ] as const) {
      const prefix = await register(subject, { type: 'object', properties: { part } });
      const sink = converter();
      await assert.rejects(
        whenReady(() => sink.toConnectData('t', Buffer.concat([prefix, Buffer.from('{"part":"x"}')]))),
        (error) => error instanceof DataError && error.code === 'BAD_JSON_SCHEMA',
      );
    }
  });
});
