import { FILE, STORED, TEXT, testRoutes } from './route-table.js';

testRoutes([
  {
    situation: 'RocketMQ: members are listed',
    send: ['GET', '/getClusterInfo'],
    status: 200,
    body: '["worker-1"]',
  },
  {
    situation: 'RocketMQ: all configurations are listed',
    send: ['GET', '/getConfigInfo'],
    status: 200,
    body: `ConnectorConfigs:{"a":{"properties":${JSON.stringify(STORED)}}}\nTaskConfigs:{"a":[${[0, 1].map(() => JSON.stringify({ properties: { ...STORED, 'task.class': 'example.LinesTask' } })).join(',')}]}`,
  },
  {
    situation: 'RocketMQ: what runs is listed, with the node that runs it',
    send: ['GET', '/getAllocatedInfo'],
    status: 200,
    body: `working connectors:\nconnectorName:a\nState:RUNNING\nWorkerId:worker-1\nConfigs:${JSON.stringify(STORED)}\nworking tasks:\n${['a/0', 'a/1'].map((unit) => `taskId:${unit}\nState:RUNNING\nWorkerId:worker-1\nConfigs:${JSON.stringify({ ...STORED, 'task.class': 'example.LinesTask' })}\n`).join('')}`,
  },
  {
    situation: 'RocketMQ: a connector is created',
    send: ['GET', `/connectors/b?config=${encodeURIComponent(JSON.stringify({ ...FILE, 'tasks.max': 1 }))}`],
    status: 200,
    body: 'success',
  },
  {
    situation: 'RocketMQ: the same configuration again',
    send: ['GET', `/connectors/a?config=${encodeURIComponent(JSON.stringify(FILE))}`],
    status: 409,
    body: 'Connector with same config already exist.',
  },
  {
    situation: 'RocketMQ: a configuration without its value',
    send: ['GET', '/connectors/b?config='],
    status: 400,
    body: "failed! query param 'config' is required [QUERY_INVALID]",
  },
  {
    situation: 'RocketMQ: a configuration that is no JSON',
    send: ['GET', '/connectors/b?config=%7B'],
    status: 400,
    body: 'failed! The body is not JSON: line 1, column 2: a key in double quotes was expected. [BODY_NOT_JSON]',
  },
  {
    situation: 'RocketMQ: a configuration as text',
    send: ['GET', '/connectors/a/config', TEXT],
    status: 200,
    body: `ConnectorConfigs:${JSON.stringify(STORED)}\nTaskConfigs:[${[0, 1].map(() => JSON.stringify({ ...STORED, 'task.class': 'example.LinesTask' })).join(',')}]`,
  },
  {
    situation: 'RocketMQ: an absent configuration as text',
    send: ['GET', '/connectors/none/config', TEXT],
    status: 404,
    body: 'ConnectorConfigs:null\nTaskConfigs:null',
  },
  {
    situation: 'RocketMQ: a running connector',
    send: ['GET', '/connectors/a/status', TEXT],
    status: 200,
    body: 'running',
  },
  {
    situation: 'RocketMQ: a failed connector',
    send: ['GET', '/connectors/a/status', TEXT],
    failing: ['a'],
    status: 200,
    body: 'not running',
  },
  {
    situation: 'RocketMQ: an absent connector',
    send: ['GET', '/connectors/none/status', TEXT],
    status: 404,
    body: 'not running',
  },
  {
    situation: 'RocketMQ: a connector is removed',
    send: ['GET', '/connectors/a/stop'],
    status: 200,
    body: 'success',
  },
  {
    situation: 'RocketMQ: an absent connector is removed',
    send: ['GET', '/connectors/none/stop'],
    status: 404,
    body: 'failed! Connector none not found [CONNECTOR_NOT_FOUND]',
  },
  {
    situation: 'RocketMQ: all connectors are removed',
    send: ['GET', '/connectors/stopAll'],
    status: 200,
    body: 'success',
  },
  {
    situation: 'RocketMQ: plugins are read again',
    send: ['GET', '/plugin/reload'],
    status: 200,
    body: 'success',
  },
]);
