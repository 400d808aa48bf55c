/** Levels of loggers over REST. What Kafka Connect answers is in test/conformance/kafka-connect. */
import { error, testRoutes } from './route-table.js';

testRoutes([
  {
    situation: 'the loggers',
    send: ['GET', '/admin/loggers'],
    status: 200,
    body: {
      http: { level: 'INFO', last_modified: null },
      root: { level: 'INFO', last_modified: null },
    },
  },
  {
    situation: 'a level',
    send: ['PUT', '/admin/loggers/root', { body: { level: 'debug' } }],
    status: 200,
    body: ['http', 'root'],
  },
  {
    situation: 'a level of all nodes',
    send: ['PUT', '/admin/loggers/http?scope=cluster', { body: { level: 'OFF' } }],
    status: 204,
    body: '',
  },
  {
    situation: 'a name that no logger can have',
    send: ['PUT', '/admin/loggers/a%00b', { body: { level: 'INFO' } }],
    status: 400,
    ...error('LOGGER_INVALID'),
  },
  {
    situation: 'a logger that there is not',
    send: ['GET', '/admin/loggers/none'],
    status: 404,
    ...error('LOGGER_NOT_FOUND', 'Logger none not found.'),
  },
]);
