/** Topics of the log, and those that a connector uses, over REST. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { RuntimeFailure } from '#troupe/http/runtime.js';
import { errorOf, Rest } from './client.js';
import { SINK } from './in-memory-runtime.js';
import { error, FILE, testRoutes } from './route-table.js';

testRoutes([
  {
    situation: 'topics of the log',
    send: ['GET', '/topics'],
    status: 200,
    body: [{ name: 't', queues: 1, internal: false }],
  },
  {
    situation: 'a topic',
    send: ['GET', '/topics/t'],
    status: 200,
    body: {
      name: 't',
      internal: false,
      queues: [{ queue: 0, startOffset: 0, endOffset: 3 }],
      retentionMs: 1000,
      retentionBytes: null,
      connectors: ['a'],
    },
  },
  {
    situation: 'a topic that there is not',
    send: ['GET', '/topics/u'],
    status: 404,
    ...error('TOPIC_NOT_FOUND'),
  },
  {
    situation: 'records of a topic',
    send: ['GET', '/topics/t/records?limit=1'],
    status: 200,
  },
  {
    situation: 'a preview of a connector',
    send: ['GET', '/connectors/a/preview?limit=2&from=next'],
    status: 200,
  },
  {
    situation: 'a preview of no connector',
    send: ['GET', '/connectors/none/preview'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND'),
  },
  {
    situation: 'a preview from nowhere',
    send: ['GET', '/connectors/a/preview?from=nowhere'],
    status: 400,
    ...error('QUERY_INVALID'),
  },
  {
    situation: 'a preview of a configuration that refuses it',
    send: ['POST', `/connector-plugins/${SINK}/preview`, { body: { topics: 't' } }],
    status: 409,
    ...error('PREVIEW_REFUSED'),
  },
  {
    situation: 'records of a queue that there is not',
    send: ['GET', '/topics/t/records?queue=1'],
    status: 404,
    ...error('QUEUE_NOT_FOUND'),
  },
  {
    situation: 'records from an offset and from a time',
    send: ['GET', '/topics/t/records?queue=0&offset=1&timestamp=1'],
    status: 400,
    ...error('QUERY_INVALID'),
  },
  {
    situation: 'more records than are shown',
    send: ['GET', '/topics/t/records?limit=1001'],
    status: 400,
    ...error('QUERY_INVALID'),
  },
  {
    situation: 'a topic in use is deleted',
    send: ['DELETE', '/topics/t'],
    status: 409,
    ...error('TOPIC_IN_USE'),
  },
  {
    situation: 'topics of a connector',
    send: ['GET', '/connectors/a/topics'],
    status: 200,
    body: { a: { topics: ['t1', 't2'] } },
  },
  {
    situation: 'topics of no connector',
    send: ['GET', '/connectors/none/topics'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND'),
  },
  { situation: 'topics are forgotten', send: ['PUT', '/connectors/a/topics/reset'], status: 202, body: '' },
]);

test('where topics are not tracked both routes say so', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  rest.runtime.before = (what) => {
    if (what.endsWith('Topics'))
      throw new RuntimeFailure('TOPIC_TRACKING_OFF', 'Topic tracking is disabled.');
  };
  for (const [method, path] of [
    ['GET', '/connectors/a/topics'],
    ['PUT', '/connectors/a/topics/reset'],
  ] as const) {
    const answer = await rest.send(method, path);
    assert.deepEqual([answer.status, errorOf(answer.json).message], [403, 'Topic tracking is disabled.']);
  }
});

test('a request for records says which, and with which converters; digits stay', async (t) => {
  const rest = await Rest.start(t);
  const options = 'value.converter=J&value.converter.schemas.enable=false&other=x';
  const { text } = await rest.send('GET', `/topics/t/records?timestamp=5&limit=7&${options}`);
  await rest.send('GET', '/topics/t/records?queue=0&offset=2&connector=a');
  assert.match(text, /"value":12345678901234567890,/);
  assert.deepEqual(rest.runtime.looked, [
    {
      topic: 't',
      queue: null,
      from: { kind: 'timestamp', timestamp: 5 },
      limit: 7,
      converters: { config: { 'value.converter': 'J', 'value.converter.schemas.enable': 'false' } },
    },
    {
      topic: 't',
      queue: 0,
      from: { kind: 'offset', offset: 2 },
      limit: 10,
      converters: { connector: 'a' },
    },
  ]);
});
