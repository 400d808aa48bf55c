/** RocketMQ Connect's newer routes, in their envelope. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Rest } from './client.js';
import { SOURCE } from './in-memory-runtime.js';
import { FILE, STORED, STORED_TASK, TEXT, testRoutes } from './route-table.js';

const enveloped = (body: unknown): { status: number; body: unknown } => ({ status: 200, body });
const UNIT = { state: 'RUNNING', trace: null, workerId: 'worker-1' };
const TASK = { connectorName: 'a', config: STORED_TASK, taskState: 'RUNNING' };

testRoutes([
  {
    situation: 'all connectors are listed',
    send: ['GET', '/connectors/list'],
    status: 200,
    body: enveloped({
      a: {
        status: {
          name: 'a',
          connector: UNIT,
          tasks: [
            { ...UNIT, id: 0 },
            { ...UNIT, id: 1 },
          ],
          type: 'SOURCE',
        },
        info: {
          name: 'a',
          config: STORED,
          tasks: [
            { connector: 'a', task: 0 },
            { connector: 'a', task: 1 },
          ],
          type: 'SOURCE',
        },
      },
    }),
  },
  {
    situation: 'one is paused',
    send: ['GET', '/connectors/a/pause'],
    status: 200,
    body: enveloped('Connector [a] paused successfully'),
  },
  {
    situation: 'an absent one is paused',
    send: ['GET', '/connectors/none/pause'],
    status: 404,
    body: {
      error_code: 404,
      errorCode: 404,
      code: 'CONNECTOR_NOT_FOUND',
      message: 'no connector none',
    },
  },
  {
    situation: 'all are resumed',
    send: ['GET', '/connectors/resume/all'],
    status: 200,
    body: enveloped('1 connectors resumed successfully'),
  },
  {
    situation: 'all are deleted',
    send: ['GET', '/connectors/stop/all'],
    status: 200,
    body: enveloped('1 connectors deleted successfully'),
  },
  { situation: 'HEAD would delete', send: ['HEAD', '/connectors/stop/all'], status: 405 },
  {
    situation: 'a page of another site would delete',
    send: ['GET', '/connectors/stop/all', { headers: { 'user-agent': 'Mozilla/5.0' } }],
    status: 403,
  },
  {
    situation: 'one is written',
    send: ['POST', '/connectors/b', { body: FILE }],
    status: 200,
    body: enveloped(FILE),
  },
  {
    situation: 'one that is invalid is written',
    send: ['POST', '/connectors/b', { body: { 'connector.class': SOURCE } }],
    status: 400,
  },
  {
    situation: 'connectors of the node',
    send: ['GET', '/allocated/connectors'],
    status: 200,
    body: enveloped({ a: STORED }),
  },
  {
    situation: 'tasks of the node',
    send: ['GET', '/allocated/tasks'],
    status: 200,
    body: enveloped({
      pendingTasks: [],
      runningTasks: [TASK, TASK],
      stoppingTasks: [],
      stoppedTasks: [],
      errorTasks: [],
    }),
  },
]);

test('a connector that is called list is shown, not the list', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/list/config', { body: FILE });
  rest.isDescribed = false;
  const { json } = await rest.send('GET', '/connectors/list');
  assert.ok(typeof json === 'object' && json !== null && 'name' in json && json.name === 'list');
});

test("without rest.legacy none of RocketMQ Connect's routes is there, and Kafka Connect's are", async (t) => {
  const rest = await Rest.start(t, { legacy: false });
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  rest.isDescribed = false;
  for (const path of ['/connectors/stopAll', '/connectors/stop/all', '/connectors/a/stop', '/getClusterInfo'])
    assert.ok([404, 405].includes((await rest.send('GET', path)).status), path);
  const config = await rest.send('GET', '/connectors/a/config', TEXT);
  assert.deepEqual(config.json, STORED);
  assert.equal((await rest.send('GET', '/connectors')).text, '["a"]');
});
