import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DataError,
  parseConfigOrThrow,
  sourceRecord,
  STRING_SCHEMA,
  type Header,
  type SourceRecord,
  type TransformInstance,
} from '@troupe/sdk';
import from from '../src/from-cloud-event.js';
import to from '../src/to-cloud-event.js';

const EVENT = { 'event.source': '/shop/${topic}', 'event.type': 'com.example.order', id: 'position' };
const made = (raw: Record<string, string>): TransformInstance =>
  to.plugin.create(parseConfigOrThrow(to.plugin.config, { ...EVENT, ...raw }));
const read = (raw: Record<string, string> = {}): TransformInstance =>
  from.plugin.create(parseConfigOrThrow(from.plugin.config, raw));

const record = (value: unknown, headers: readonly Header[] = []): SourceRecord =>
  sourceRecord({
    topic: 'orders',
    key: 'k1',
    value,
    timestamp: 1_000,
    headers,
    sourcePartition: { file: 'a' },
    sourcePosition: { at: 1 },
  });

const texts = ({ headers }: SourceRecord): Record<string, unknown> =>
  Object.fromEntries(headers.map(({ key, value }) => [key, value]));

function applied(transform: TransformInstance, given: SourceRecord): SourceRecord {
  const result = transform.apply(given);
  assert.ok(result !== null);
  return result;
}

const ID = applied(made({}), record(1)).headers.find(({ key }) => key === 'ce_id')?.value;
const HEADERS = {
  ce_specversion: '1.0',
  ce_id: ID,
  ce_source: '/shop/orders',
  ce_type: 'com.example.order',
  ce_subject: 'k1',
  ce_time: '1970-01-01T00:00:01.000Z',
  'content-type': 'application/json',
};

test('in binary mode the value stays and the attributes are headers', () => {
  const own = { key: 'own', schema: STRING_SCHEMA, value: 'kept' };
  const event = applied(made({ 'subject.from.key': 'true' }), record({ a: 1 }, [own]));
  assert.deepEqual(event.value, { a: 1 });
  assert.deepEqual(texts(event), { own: 'kept', ...HEADERS });
  assert.deepEqual(texts(applied(read(), event)), texts(event));
});

test('in structured mode the value is an envelope, and comes out of it as in binary mode', () => {
  const event = applied(made({ mode: 'structured', 'subject.from.key': 'true' }), record({ a: 1 }));
  assert.deepEqual(event.value, {
    specversion: '1.0',
    id: ID,
    source: '/shop/orders',
    type: 'com.example.order',
    subject: 'k1',
    time: '1970-01-01T00:00:01.000Z',
    datacontenttype: 'application/json',
    data: { a: 1 },
  });
  assert.deepEqual(texts(event), { 'content-type': 'application/cloudevents+json' });
  // As a converter of texts gives it, too.
  for (const value of [event.value, JSON.stringify(event.value), Buffer.from(JSON.stringify(event.value))]) {
    const back = applied(read(), { ...event, value });
    assert.deepEqual(back.value, { a: 1 });
    assert.deepEqual(texts(back), HEADERS);
  }
});

test('bytes go through an envelope, and so does nothing', () => {
  const structured = made({ mode: 'structured' });
  for (const value of [Uint8Array.of(0, 255), null])
    assert.deepEqual(applied(read(), applied(structured, record(value))).value, value);
});

test('by its position a record has the same id when it comes again, and another one another', () => {
  const event = (position: number): unknown =>
    texts(applied(made({}), { ...record(1), sourcePosition: { at: position } }))['ce_id'];
  assert.equal(event(1), event(1));
  assert.notEqual(event(1), event(2));
  const random = (): unknown => texts(applied(made({ id: 'random' }), record(1)))['ce_id'];
  assert.notEqual(random(), random());
});

test('attributes that SimpleHeaderConverter took for numbers and times are texts again', () => {
  const headers = Object.entries({ ...HEADERS, ce_specversion: 1, ce_time: new Date(1_000) }).map(
    ([key, value]): Header => ({ key, schema: null, value }),
  );
  assert.deepEqual(texts(applied(read(), record(1, headers))), HEADERS);
});

test('what is no CloudEvent is a bad record, or passes where that is asked for', () => {
  const bad = (given: SourceRecord): void =>
    assert.throws(
      () => read().apply(given),
      (error) => error instanceof DataError && error.code === 'BAD_CLOUD_EVENT',
    );
  const structured: Header = {
    key: 'Content-Type',
    schema: null,
    value: 'application/cloudevents+json; charset=utf-8',
  };
  bad(record(1));
  bad(record('no json', [structured]));
  bad(record({ specversion: '1.0', id: 'x', source: 's' }, [structured]));
  bad(record({ specversion: '0.3', id: 'x', source: 's', type: 't' }, [structured]));
  bad(record({ specversion: '1.0', id: 'x', source: 's', type: 't', 'Not-Good': 'x' }, [structured]));
  const plain = record(1);
  assert.equal(read({ required: 'false' }).apply(plain), plain);
  assert.throws(() => made({ mode: 'structured', datacontenttype: 'text/plain' }), /must be JSON/);
});
