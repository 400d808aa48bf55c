/** Kafka Connect's routes on the levels of loggers. */
import { isLoggerName, parseLevel, type LevelName, type LoggerLevel } from '../../core/logger-levels.js';
import { readPlainObject } from '../body.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { shortened } from '../names.js';
import { list, mapOf, schema } from '../openapi/schemas.js';
import { choice, pathPart } from './parameters.js';
import { json, type Route } from './route.js';

const SCOPES = ['worker', 'cluster', ''] as const;

export function loggerRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime } = deps;
  return [
    {
      method: 'get',
      path: '/admin/loggers',
      summary: 'The loggers of this node, with their levels.',
      answers: { 200: json('By name.', mapOf(schema('LoggerLevel'))) },
      handle: async (ctx) => {
        const loggers = await runtime.loggers(ctx.state.call);
        ctx.body = Object.fromEntries(loggers.map((each) => [each.name, shown(each)]));
      },
    },
    {
      method: 'get',
      path: '/admin/loggers/{logger}',
      summary: 'The level of a logger of this node.',
      answers: { 200: json('The level.', schema('LoggerLevel')) },
      errors: ['LOGGER_NOT_FOUND'],
      handle: async (ctx) => {
        const name = pathPart(ctx, 'logger');
        const found = (await runtime.loggers(ctx.state.call)).find((each) => each.name === name);
        if (found === undefined)
          throw new HttpError('LOGGER_NOT_FOUND', `Logger ${shortened(name)} not found.`);
        ctx.body = shown(found);
      },
    },
    {
      method: 'put',
      path: '/admin/loggers/{logger}',
      summary: 'Set the level of a logger, and of those below it, until the node ends.',
      query: {
        scope: {
          description: '`worker`, the default: of this node. `cluster`: of all nodes that are there.',
          schema: { type: 'string', enum: SCOPES },
        },
      },
      body: schema('LevelSet'),
      answers: {
        200: json('Names of the loggers of this node that had another level.', list({ type: 'string' })),
        204: { description: 'It is set on this node, and will be on the others.' },
      },
      errors: ['LOG_LEVEL_INVALID', 'LOGGER_INVALID', 'LOGGERS_TOO_MANY'],
      handle: (ctx) => setLevel(ctx, deps),
    },
  ];
}

async function setLevel(ctx: RouteContext, { runtime, maxBodyBytes }: RouteDeps): Promise<void> {
  const { call } = ctx.state;
  const level = levelOf(await readPlainObject(ctx, maxBodyBytes));
  const name = pathPart(ctx, 'logger');
  if (!isLoggerName(name))
    throw new HttpError(
      'LOGGER_INVALID',
      'A logger has a name of 1 to 255 bytes, without control characters.',
    );
  if (choice(ctx, 'scope', SCOPES, { anyCase: true }) === 'cluster') {
    await runtime.setClusterLogger(call, name, level);
    ctx.status = 204;
    return;
  }
  ctx.body = await runtime.setLogger(call, name, level);
}

function levelOf({ level }: Readonly<Record<string, unknown>>): LevelName {
  if (level === undefined || level === null)
    throw new HttpError('BODY_INVALID', "Desired 'level' parameter was not specified in request.", {
      fields: [{ field: 'level', value: null, reason: 'is required' }],
    });
  const text = typeof level === 'string' ? level : JSON.stringify(level);
  const parsed = parseLevel(text);
  if (parsed === null) throw new HttpError('LOG_LEVEL_INVALID', `invalid log level '${shortened(text)}'.`);
  return parsed;
}

function shown({ level, lastModified }: LoggerLevel): object {
  return { level, last_modified: lastModified };
}
