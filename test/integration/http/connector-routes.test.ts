import { SINK, SOURCE } from './in-memory-runtime.js';
import { error, FILE, INFO, RUNNING, STATUS, STORED, testRoutes } from './route-table.js';

const NONE = 'Connector none not found';

testRoutes([
  { situation: 'connectors are listed by name', send: ['GET', '/connectors'], status: 200, body: ['a'] },
  { situation: 'a trailing slash changes nothing', send: ['GET', '/connectors/'], status: 200, body: ['a'] },
  { situation: 'a connector is told', send: ['GET', '/connectors/a'], status: 200, body: INFO },
  { situation: 'a connector is deleted', send: ['DELETE', '/connectors/a'], status: 204, body: '' },
  { situation: 'a configuration is read', send: ['GET', '/connectors/a/config'], status: 200, body: STORED },
  { situation: 'a status is read', send: ['GET', '/connectors/a/status'], status: 200, body: STATUS },
  {
    situation: 'the list is expanded',
    send: ['GET', '/connectors?expand=info&expand=status'],
    status: 200,
    body: { a: { info: INFO, status: STATUS } },
  },
  {
    situation: 'an unknown expansion is ignored',
    send: ['GET', '/connectors?expand=status&expand=x'],
    status: 200,
    body: { a: { status: STATUS } },
  },
  {
    situation: 'a connector is created',
    send: ['POST', '/connectors', { body: { name: ' b ', config: { 'connector.class': SINK, file: 'b' } } }],
    status: 201,
    body: {
      name: 'b',
      config: { 'connector.class': SINK, file: 'b', name: 'b' },
      tasks: [{ connector: 'b', task: 0 }],
      type: 'sink',
    },
    headers: { location: '/connectors/b' },
  },
  {
    situation: 'a connector is created by another name of its class',
    send: [
      'POST',
      '/connectors',
      { body: { name: 'b', config: { 'connector.class': 'LinesSource', file: 'b' } } },
    ],
    status: 201,
    body: {
      name: 'b',
      config: { 'connector.class': 'LinesSource', file: 'b', name: 'b' },
      tasks: [{ connector: 'b', task: 0 }],
      type: 'source',
    },
  },
  {
    situation: 'a connector is created stopped',
    send: ['POST', '/connectors', { body: { name: 'b', config: FILE, initial_state: 'stopped' } }],
    status: 201,
    body: { ...INFO, name: 'b', config: { ...FILE, name: 'b' }, tasks: [] },
  },
  {
    situation: 'a connector that exists is not created',
    send: ['POST', '/connectors', { body: { name: 'a', config: FILE } }],
    status: 409,
    ...error('CONNECTOR_EXISTS', 'Connector a already exists'),
  },
  {
    situation: 'a create names one connector and configures another',
    send: ['POST', '/connectors', { body: { name: 'b', config: { ...FILE, name: 'c' } } }],
    status: 400,
    ...error(
      'CONFIG_NAME_MISMATCH',
      "Connector name configuration (c) doesn't match connector name in the URL (b)",
    ),
  },
  {
    situation: 'an absent connector is told',
    send: ['GET', '/connectors/none'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', NONE),
  },
  {
    situation: 'an absent connector is deleted',
    send: ['DELETE', '/connectors/none'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', NONE),
  },
  {
    situation: 'an absent configuration is read',
    send: ['GET', '/connectors/none/config'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', NONE),
  },
  {
    situation: 'a configuration is replaced',
    send: ['PUT', '/connectors/a/config', { body: { ...FILE, file: 'z' } }],
    status: 200,
    body: { ...INFO, config: { ...FILE, file: 'z', name: 'a' } },
  },
  {
    situation: 'a configuration is put where there was none',
    send: ['PUT', '/connectors/b%20%C3%A9/config', { body: FILE }],
    status: 201,
    body: {
      ...INFO,
      name: 'b é',
      config: { ...FILE, name: 'b é' },
      tasks: [
        { connector: 'b é', task: 0 },
        { connector: 'b é', task: 1 },
      ],
    },
    headers: { location: '/connectors/b%20%C3%A9' },
  },
  {
    situation: 'a configuration of another name is put',
    send: ['PUT', '/connectors/a/config', { body: { ...FILE, name: 'b' } }],
    status: 400,
    ...error('CONFIG_NAME_MISMATCH'),
  },
  {
    situation: 'a key is changed and one removed',
    send: ['PATCH', '/connectors/a/config', { body: { file: 'z', 'tasks.max': null } }],
    status: 200,
    body: {
      ...INFO,
      config: { 'connector.class': SOURCE, file: 'z', name: 'a' },
      tasks: [{ connector: 'a', task: 0 }],
    },
  },
  {
    situation: 'the name is patched',
    send: ['PATCH', '/connectors/a/config', { body: { name: 'b' } }],
    status: 400,
    ...error('CONFIG_NAME_MISMATCH'),
  },
  {
    situation: 'an absent configuration is patched',
    send: ['PATCH', '/connectors/none/config', { body: { file: 'z' } }],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', NONE),
  },
  {
    situation: 'a failed task shows its trace',
    send: ['GET', '/connectors/a/status'],
    failing: ['a/1'],
    status: 200,
    body: {
      ...STATUS,
      tasks: [
        { id: 0, ...RUNNING },
        { id: 1, ...RUNNING, state: 'FAILED', trace: 'trace of a/1' },
      ],
    },
  },
  {
    situation: 'an absent status is read',
    send: ['GET', '/connectors/none/status'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', 'No status found for connector none'),
  },
  {
    situation: 'tasks are listed',
    send: ['GET', '/connectors/a/tasks'],
    status: 200,
    body: [0, 1].map((task) => ({
      id: { connector: 'a', task },
      config: { ...STORED, 'task.class': 'example.LinesTask' },
    })),
  },
  {
    situation: 'tasks of no connector are listed',
    send: ['GET', '/connectors/none/tasks'],
    status: 404,
    ...error('CONNECTOR_NOT_FOUND', NONE),
  },
  {
    situation: 'a task status is read',
    send: ['GET', '/connectors/a/tasks/1/status'],
    status: 200,
    body: { id: 1, ...RUNNING },
  },
  {
    situation: 'the status of an absent task is read',
    send: ['GET', '/connectors/a/tasks/2/status'],
    status: 404,
    ...error('TASK_NOT_FOUND', 'No status found for task a-2'),
  },
  {
    situation: 'the status of a task that is no number is read',
    send: ['GET', '/connectors/a/tasks/1e0/status'],
    status: 404,
    ...error('TASK_NOT_FOUND'),
  },
]);
