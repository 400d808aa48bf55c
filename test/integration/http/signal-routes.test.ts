/** Signals over REST: bodies, bounds, and what is answered when. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Rest } from './client.js';
import { error, FILE, testRoutes } from './route-table.js';

const post = (body: unknown, query = '') => ['POST', `/connectors/a/signals${query}`, { body }] as const;

testRoutes([
  {
    situation: 'no connector',
    send: ['GET', '/connectors/b/signals'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND'),
  },
  {
    situation: 'a signal to no connector',
    send: ['POST', '/connectors/b/signals', { body: { type: 't' } }],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', 'Connector b not found'),
  },
  { situation: 'no signals', send: ['GET', '/connectors/a/signals'], status: 200, body: [] },
  {
    situation: 'no such signal',
    send: ['GET', '/connectors/a/signals/x'],
    status: 404,
    ...error('SIGNAL_NOT_FOUND', 'Connector a has no signal x (any more)'),
  },
  {
    situation: 'a signal to one task',
    send: post({ type: 't', data: { n: 1.5 }, task: 1, id: 'mine' }),
    status: 200,
    body: {
      id: 'mine',
      type: 't',
      data: { n: 1.5 },
      sent: 5,
      state: 'ANSWERED',
      tasks: [{ id: 1, state: 'ANSWERED', answer: { did: { n: 1.5 } }, worker_id: 'worker-1', at: 5 }],
    },
    headers: { location: '/connectors/a/signals/mine' },
  },
  { situation: 'no such task', send: post({ type: 't', task: 2 }), status: 404, ...error('TASK_NOT_FOUND') },
  { situation: 'no type', send: post({}), status: 400, ...error('BODY_INVALID') },
  { situation: 'a long type', send: post({ type: 't'.repeat(101) }), status: 400, ...error('BODY_INVALID') },
  {
    situation: 'too much data',
    send: post({ type: 't', data: 'x'.repeat(16_383) }),
    status: 400,
    ...error('BODY_INVALID', 'The body is invalid: data must be at most 16384 characters of JSON.'),
  },
  {
    situation: 'whom it is for said twice',
    send: post({ type: 't', to: 'tasks', task: 0 }),
    status: 400,
    ...error('BODY_INVALID', 'The body is invalid: task cannot be given together with to.'),
  },
  {
    situation: 'a field that nobody knows',
    send: post({ type: 't', wait: 1 }),
    status: 400,
    ...error('BODY_INVALID', 'The body is invalid: wait is unknown; known are type, data, to, task, id.'),
  },
  {
    situation: 'a bad timeout',
    send: post({ type: 't' }, '?timeout=1s'),
    status: 400,
    ...error('QUERY_INVALID'),
  },
]);

test('a signal that is not answered in time is 202, and is found later', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  rest.runtime.silent = true;
  const sent = await rest.send('POST', '/connectors/a/signals?timeout=0', { body: { type: 't', id: 's' } });
  assert.equal(sent.status, 202);
  const waiting = { state: 'WAITING' };
  const expected = {
    id: 's',
    type: 't',
    data: null,
    sent: 5,
    state: 'WAITING',
    connector: waiting,
    tasks: [
      { id: 0, ...waiting },
      { id: 1, ...waiting },
    ],
  };
  assert.deepEqual(sent.json, expected);
  assert.deepEqual((await rest.send('GET', '/connectors/a/signals')).json, [expected]);
  const other = await rest.send('POST', '/connectors/a/signals', { body: { type: 'u', id: 's' } });
  assert.equal(other.status, 409);
});
