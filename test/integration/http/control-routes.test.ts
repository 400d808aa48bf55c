import assert from 'node:assert/strict';
import test from 'node:test';

import { Rest } from './client.js';
import { error, FILE, RUNNING, STATUS, testRoutes } from './route-table.js';

testRoutes([
  { situation: 'a connector is paused', send: ['PUT', '/connectors/a/pause'], status: 202, body: '' },
  { situation: 'a connector is resumed', send: ['PUT', '/connectors/a/resume'], status: 202, body: '' },
  { situation: 'a connector is stopped', send: ['PUT', '/connectors/a/stop'], status: 204, body: '' },
  {
    situation: 'an absent connector is paused',
    send: ['PUT', '/connectors/none/pause'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', 'Unknown connector none'),
  },
  {
    situation: 'a connector alone is restarted',
    send: ['POST', '/connectors/a/restart'],
    status: 204,
    body: '',
  },
  {
    situation: 'a connector is restarted with its tasks',
    send: ['POST', '/connectors/a/restart?includeTasks=true'],
    status: 202,
    body: {
      ...STATUS,
      connector: { ...RUNNING, state: 'RESTARTING' },
      tasks: [0, 1].map((id) => ({ id, ...RUNNING, state: 'RESTARTING' })),
    },
  },
  {
    situation: 'only what failed is restarted',
    send: ['POST', '/connectors/a/restart?includeTasks=true&onlyFailed=true'],
    failing: ['a/1'],
    status: 202,
    body: {
      ...STATUS,
      tasks: [
        { id: 0, ...RUNNING },
        { id: 1, ...RUNNING, state: 'RESTARTING' },
      ],
    },
  },
  {
    situation: 'nothing failed that could be restarted',
    send: ['POST', '/connectors/a/restart?onlyFailed=true'],
    status: 202,
    body: STATUS,
  },
  {
    situation: 'a restart flag is neither true nor false',
    send: ['POST', '/connectors/a/restart?onlyFailed=1'],
    status: 400,
    ...error('QUERY_INVALID'),
  },
  {
    situation: 'an absent connector is restarted',
    send: ['POST', '/connectors/none/restart'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', 'Unknown connector: none'),
  },
  {
    situation: 'a task is restarted',
    send: ['POST', '/connectors/a/tasks/0/restart'],
    status: 204,
    body: '',
  },
  {
    situation: 'an absent task is restarted',
    send: ['POST', '/connectors/a/tasks/7/restart'],
    status: 404,
    ...error('TASK_NOT_FOUND', 'Unknown task: a-7'),
  },
]);

test('what the routes were told reaches the runtime', async (t) => {
  const rest = await Rest.start(t);
  await rest.send('PUT', '/connectors/a/config', { body: FILE });
  const entry = () => rest.runtime.entries.get('a');

  await rest.send('PUT', '/connectors/a/pause');
  assert.equal(entry()?.targetState, 'PAUSED');
  await rest.send('PUT', '/connectors/a/stop');
  assert.equal(entry()?.targetState, 'STOPPED');
  assert.deepEqual((await rest.send('GET', '/connectors/a/tasks')).json, []);
  assert.equal((await rest.send('POST', '/connectors/a/tasks/0/restart')).status, 404);
  await rest.send('PUT', '/connectors/a/resume');
  assert.equal(entry()?.targetState, 'RUNNING');

  await rest.send('POST', '/connectors/a/restart');
  assert.deepEqual({ ...entry()?.restart, offset: 0 }, { offset: 0, connector: true, tasks: [] });
  rest.runtime.fail('a/1', 'x');
  await rest.send('POST', '/connectors/a/restart?includeTasks=true&onlyFailed=true');
  assert.deepEqual({ ...entry()?.restart, offset: 0 }, { offset: 0, connector: false, tasks: [1] });
  await rest.send('POST', '/connectors/a/tasks/0/restart');
  assert.deepEqual({ ...entry()?.restart, offset: 0 }, { offset: 0, connector: false, tasks: [0] });
  await rest.send('GET', '/plugin/reload');
  assert.equal(rest.runtime.reloads, 1);

  await rest.send('HEAD', '/connectors/a/stop');
  await rest.send('HEAD', '/connectors/stopAll');
  assert.notEqual(entry(), undefined);
  await rest.send('GET', '/connectors/stopAll');
  assert.equal(rest.runtime.entries.size, 0);
});
