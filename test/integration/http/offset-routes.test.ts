/** Kafka Connect's offsets over REST: shapes, and what is refused. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { RuntimeFailure } from '#troupe/http/runtime.js';
import { Rest } from './client.js';
import { SINK } from './in-memory-runtime.js';
import { error, FILE, testRoutes } from './route-table.js';

const PATH = '/connectors/a/offsets';
const ONE = { offsets: [{ partition: { file: 'b' }, offset: { at: 5 } }] };

testRoutes([
  {
    situation: 'positions of a source',
    send: ['GET', PATH],
    status: 200,
    body: { offsets: [{ partition: { file: 'a' }, offset: { at: 1 } }] },
  },
  {
    situation: 'no connector',
    send: ['GET', '/connectors/b/offsets'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND'),
  },
  {
    situation: 'a connector that runs',
    send: ['PATCH', PATH, { body: ONE }],
    status: 400,
    ...error('CONNECTOR_NOT_STOPPED'),
  },
  {
    situation: 'a reset of one that runs',
    send: ['DELETE', PATH],
    status: 400,
    ...error('CONNECTOR_NOT_STOPPED'),
  },
  {
    situation: 'nothing to alter',
    send: ['PATCH', PATH, { body: { offsets: [] } }],
    status: 400,
    ...error('BODY_INVALID'),
  },
  { situation: 'no body', send: ['PATCH', PATH], status: 400, ...error('BODY_REQUIRED') },
  {
    situation: 'no partition',
    send: ['PATCH', PATH, { body: { offsets: [{ offset: null }] } }],
    status: 400,
    ...error('BODY_INVALID', 'The body is invalid: offsets[0].partition must be an object.'),
  },
  {
    situation: 'no offset, which is not null',
    send: ['PATCH', PATH, { body: { offsets: [{ partition: {} }] } }],
    status: 400,
    ...error('BODY_INVALID', 'The body is invalid: offsets[0].offset must be an object, or null.'),
  },
]);

test("offsets of a stopped connector are altered and reset, a sink's by topic and queue", async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  await rest.send('PUT', '/connectors/s/config', { body: { ...FILE, 'connector.class': SINK } });
  for (const name of ['a', 's']) await rest.send('PUT', `/connectors/${name}/stop`);
  const altered = await rest.send('PATCH', PATH, { body: ONE });
  assert.deepEqual(altered.json, {
    message: 'The offsets for this connector have been altered successfully',
  });
  const reset = await rest.send('DELETE', PATH);
  assert.deepEqual(reset.json, { message: 'The offsets for this connector have been reset successfully' });
  const partition = { kafka_topic: 't', kafka_partition: 2 };
  assert.deepEqual((await rest.send('GET', '/connectors/s/offsets')).json, {
    offsets: [{ partition, offset: { kafka_offset: 3 } }],
  });
  assert.deepEqual((await rest.send('GET', '/connectors/s/offsets?lag=true')).json, {
    offsets: [{ partition, offset: { kafka_offset: 3 }, lag: { records: 4, seconds: 1.5 } }],
  });
  const offsets = [
    { partition, offset: { kafka_offset: 7 } },
    { partition: { ...partition, kafka_partition: '3' }, offset: null },
  ];
  assert.equal((await rest.send('PATCH', '/connectors/s/offsets', { body: { offsets } })).status, 200);
  for (const bad of [{ kafka_offset: -1 }, { kafka_offset: 1.5 }, {}])
    assert.equal(
      (await rest.send('PATCH', '/connectors/s/offsets', { body: { offsets: [{ partition, offset: bad }] } }))
        .status,
      400,
    );
  assert.deepEqual(rest.runtime.altered, [
    { kind: 'source', items: [{ partition: { file: 'b' }, position: { at: 5 } }] },
    'all',
    {
      kind: 'sink',
      items: [
        { topic: 't', queue: 2, offset: 7 },
        { topic: 't', queue: 3, offset: null },
      ],
    },
  ]);
});

test('offsets that come with a new connector are set before it runs', async (t) => {
  const rest = await Rest.start(t);
  const created = { name: 'n', config: FILE, initial_offsets: ONE.offsets };
  const answer = await rest.send('POST', '/connectors', { body: created });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(rest.runtime.altered, [
    { kind: 'source', items: [{ partition: { file: 'b' }, position: { at: 5 } }] },
  ]);
  assert.equal(rest.runtime.entries.get('n')?.targetState, 'RUNNING');
});

test('a connector whose first offsets are refused is not there, nor is one whose offsets are no list', async (t) => {
  const rest = await Rest.start(t);
  rest.runtime.before = (what) => {
    if (what === 'alterOffsets') throw new RuntimeFailure('POSITIONS_REFUSED', 'no such file');
  };
  const created = { name: 'n', config: FILE, initial_offsets: ONE.offsets };
  const refused = await rest.send('POST', '/connectors', { body: created });
  assert.deepEqual([refused.status, rest.runtime.entries.size], [400, 0]);
  const bad = await rest.send('POST', '/connectors', { body: { ...created, initial_offsets: 'all' } });
  assert.deepEqual([bad.status, rest.runtime.entries.size], [400, 0]);
});

test('a connector is deleted with its offsets, and kept, stopped, where they cannot be forgotten', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  assert.equal((await rest.send('DELETE', '/connectors/a?offsets=none')).status, 400);
  rest.runtime.before = (what) => {
    if (what === 'alterOffsets') throw new RuntimeFailure('POSITIONS_REFUSED', 'not these');
  };
  assert.equal((await rest.send('DELETE', '/connectors/a?offsets=drop')).status, 400);
  assert.equal(rest.runtime.entries.get('a')?.targetState, 'STOPPED');
  rest.runtime.before = () => undefined;
  assert.equal((await rest.send('DELETE', '/connectors/a?offsets=drop')).status, 204);
  assert.deepEqual([rest.runtime.altered, rest.runtime.entries.size], [['all'], 0]);
});
