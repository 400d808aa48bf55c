import assert from 'node:assert/strict';
import test from 'node:test';

import { Rest } from './client.js';
import { SINK, SOURCE } from './in-memory-runtime.js';
import { error, FILE, TEXT, testRoutes } from './route-table.js';

testRoutes([
  { situation: 'a route is unknown', send: ['GET', '/nothing'], status: 404, ...error('ROUTE_NOT_FOUND') },
  {
    situation: 'the node tells its version',
    send: ['GET', '/'],
    status: 200,
    body: { version: '1.2.3', commit: 'abc', kafka_cluster_id: 'cluster-1', worker_id: 'worker-1' },
  },
  {
    situation: 'a healthy node says so',
    send: ['GET', '/health'],
    status: 200,
    body: { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
  },
  {
    situation: 'connector plugins are listed',
    send: ['GET', '/connector-plugins'],
    status: 200,
    body: [
      { class: SOURCE, type: 'source', version: '1.0.0' },
      { class: SINK, type: 'sink', version: '1.0.0' },
    ],
  },
  {
    situation: 'all plugins are listed',
    send: ['GET', '/connector-plugins?connectorsOnly=false'],
    status: 200,
    body: [
      { class: SOURCE, type: 'source', version: '1.0.0' },
      { class: SINK, type: 'sink', version: '1.0.0' },
      { class: 'example.JsonConverter', type: 'converter', version: '1.0.0' },
      { class: 'example.JsonConverter', type: 'header_converter', version: '1.0.0' },
    ],
  },
  {
    situation: 'keys of an unknown plugin are asked for',
    send: ['GET', '/connector-plugins/none/config'],
    status: 404,
    ...error('PLUGIN_NOT_FOUND', 'Unknown plugin none.'),
  },
  {
    situation: 'a configuration is validated for another plugin',
    send: ['PUT', `/connector-plugins/${SINK}/config/validate`, { body: FILE }],
    status: 400,
    ...error('PLUGIN_MISMATCH', `Included connector type ${SOURCE} does not match request type ${SINK}`),
  },
  {
    situation: 'the tree is shown to a program',
    send: ['GET', '/supervisor/tree'],
    status: 200,
    body: {
      id: 'root',
      kind: 'supervisor',
      state: 'running',
      restarts: 0,
      strategy: 'one_for_one',
      children: [
        {
          id: 'http',
          kind: 'actor',
          state: 'running',
          restarts: 0,
          heapUsedBytes: 5 << 20,
          heapLimitBytes: 64 << 20,
          mailbox: 0,
        },
      ],
    },
  },
  {
    situation: 'the tree is shown to a person',
    send: ['GET', '/supervisor/tree', TEXT],
    status: 200,
    body: 'root     running   one_for_one\n└─ http  running   heap 5/64 MB  mailbox 0\n',
  },
  {
    situation: 'the nodes are listed',
    send: ['GET', '/nodes'],
    status: 200,
    body: [
      {
        id: 'worker-1',
        state: 'ONLINE',
        drained: false,
        load: 2,
        tasks: 2,
        connectors: 1,
        heartbeatAgeMs: 3,
        joinedAt: 1,
        restUrl: 'http://127.0.0.1:8082',
      },
    ],
  },
  {
    situation: 'a node is drained',
    send: ['PUT', '/nodes/worker-1/drain'],
    status: 202,
    body: '',
  },
  {
    situation: 'an unknown node is undrained',
    send: ['PUT', '/nodes/nobody/undrain'],
    status: 404,
    ...error('NODE_NOT_FOUND', 'There is no node nobody.'),
  },
  {
    situation: 'nothing moves',
    send: ['POST', '/rebalance?dryRun=true'],
    status: 200,
    body: { dryRun: true, moves: [], reason: 'Balanced.' },
  },
  {
    situation: 'a plan is asked for in an odd way',
    send: ['POST', '/rebalance?dryRun=maybe'],
    status: 400,
    ...error('QUERY_INVALID'),
  },
  {
    situation: 'a route below one is unknown',
    send: ['GET', '/connectors/a/nothing'],
    status: 404,
    ...error('ROUTE_NOT_FOUND'),
  },
  {
    situation: 'a method is not allowed',
    send: ['PUT', '/connectors'],
    status: 405,
    ...error('METHOD_NOT_ALLOWED'),
    headers: { allow: 'GET, HEAD, OPTIONS, POST' },
  },
  {
    situation: 'a method is not allowed on a connector',
    send: ['PUT', '/connectors/a'],
    status: 405,
    ...error('METHOD_NOT_ALLOWED'),
    headers: { allow: 'DELETE, GET, HEAD, OPTIONS, POST' },
  },
  {
    situation: 'an odd method is sent',
    send: ['PROPFIND', '/connectors'],
    status: 405,
    ...error('METHOD_NOT_ALLOWED'),
  },
  {
    situation: 'the methods are asked for',
    send: ['OPTIONS', '/connectors/a/config'],
    status: 204,
    body: '',
    headers: { allow: 'GET, HEAD, OPTIONS, PATCH, PUT' },
  },
  {
    situation: 'only the headers are asked for',
    send: ['HEAD', '/connectors/a'],
    status: 200,
    body: '',
    headers: { 'content-type': 'application/json; charset=utf-8' },
  },
  {
    situation: 'only the headers of a GET that deletes are asked for',
    send: ['HEAD', '/connectors/a/stop'],
    status: 405,
    body: '',
  },
]);

test('what moves away from a drained node is shown unit by unit', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/nodes/worker-1/drain');
  const answer = await rest.send('POST', '/rebalance');
  assert.equal(answer.status, 202);
  assert.deepEqual(answer.json, {
    dryRun: false,
    moves: [{ connector: 'a', task: 0, from: 'worker-1', to: null }],
    reason: null,
  });
});

test('an invalid configuration tells every field at once, in the words of Kafka Connect', async (t) => {
  const rest = await Rest.start(t);
  const config = { 'connector.class': SOURCE, 'tasks.max': 99, 'db.pin': 'hunter2' };
  for (const send of [
    () => rest.send('POST', '/connectors', { body: { name: 'b', config } }),
    () => rest.send('PUT', '/connectors/b/config', { body: config }),
  ]) {
    const answer = await send();
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json, {
      error_code: 400,
      message:
        'Connector configuration is invalid and contains the following 3 error(s):\n' +
        'Configuration file: is required\n' +
        'Configuration db.pin: [hidden] is not a PIN\n' +
        'Configuration tasks.max: must be 1 to 8\n' +
        'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
      code: 'CONFIG_INVALID',
      errors: [
        { field: 'file', value: null, reason: 'is required' },
        { field: 'db.pin', value: '[hidden]', reason: '[hidden] is not a PIN' },
        { field: 'tasks.max', value: '99', reason: 'must be 1 to 8' },
      ],
    });
  }
  const validated = await rest.send('PUT', `/connector-plugins/LinesSource/config/validate`, {
    body: config,
  });
  assert.equal(validated.status, 200);
  assert.ok(!validated.text.includes('hunter2'));
  assert.deepEqual(Object.keys(validated.json as object), ['name', 'error_count', 'groups', 'configs']);
  assert.match(validated.text, /"error_count":3/);
});
