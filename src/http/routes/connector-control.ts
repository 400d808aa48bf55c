/** Kafka Connect's routes that pause, resume, stop and restart. */
import type { TargetState } from '../../core/model.js';
import { existing } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { schema } from '../openapi/schemas.js';
import { taskConfigs } from '../shapes.js';
import { restarting } from '../status.js';
import { entryStatus } from './connectors.js';
import { flag, pathPart, taskNumber } from './parameters.js';
import { empty, flagParameter, json, type Route } from './route.js';

export function controlRoutes(deps: RouteDeps): readonly Route[] {
  const target = (action: string, state: TargetState, status: 202 | 204, summary: string): Route => ({
    method: 'put',
    path: `/connectors/{name}/${action}`,
    summary,
    answers: { [status]: empty('It is wanted; the status shows when it is so.') },
    errors: ['CONNECTOR_NOT_FOUND'],
    handle: (ctx) => setTarget(ctx, deps, state, status),
  });
  return [
    target('pause', 'PAUSED', 202, 'Let a connector rest, with its tasks.'),
    target('resume', 'RUNNING', 202, 'Let a connector go on.'),
    target('stop', 'STOPPED', 204, 'Stop a connector, which gives up its tasks.'),
    {
      method: 'post',
      path: '/connectors/{name}/restart',
      summary: 'Start a connector anew.',
      query: {
        includeTasks: flagParameter('Its tasks, too.'),
        onlyFailed: flagParameter('Only what has failed.'),
      },
      answers: {
        202: json('With one of the flags.', schema('ConnectorStatus')),
        204: empty('Without flags.'),
      },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: (ctx) => restart(ctx, deps),
    },
    {
      method: 'post',
      path: '/connectors/{name}/tasks/{task}/restart',
      summary: 'Start a task anew.',
      answers: { 204: empty('It will be.') },
      errors: ['CONNECTOR_NOT_FOUND', 'TASK_NOT_FOUND'],
      handle: (ctx) => restartTask(ctx, deps),
    },
  ];
}

async function setTarget(
  ctx: RouteContext,
  deps: RouteDeps,
  state: TargetState,
  status: number,
): Promise<void> {
  const name = pathPart(ctx, 'name');
  await rewording(
    deps.runtime.setTarget(ctx.state.call, name, state),
    'CONNECTOR_NOT_FOUND',
    `Unknown connector ${shortened(name)}`,
  );
  // In this order: Koa makes an empty body a 204.
  ctx.body = null;
  ctx.status = status;
}

/** Without flags only the connector, answered 204; with one of them what it asks for, answered by the status. */
async function restart(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const name = pathPart(ctx, 'name');
  const includeTasks = flag(ctx, 'includeTasks', false);
  const onlyFailed = flag(ctx, 'onlyFailed', false);
  const entry = await existing(deps, ctx.state.call, name, unknownConnector(name));
  if (!includeTasks && !onlyFailed) {
    await request(ctx, deps, name, true, []);
    ctx.status = 204;
    return;
  }
  const status = await entryStatus(ctx, deps, entry);
  const connector = !onlyFailed || status.connector.state === 'FAILED';
  const tasks = includeTasks
    ? status.tasks.filter((task) => !onlyFailed || task.state === 'FAILED').map((task) => task.id)
    : [];
  if (connector || tasks.length > 0) await request(ctx, deps, name, connector, tasks);
  ctx.status = 202;
  ctx.body = restarting(status, connector, tasks);
}

async function restartTask(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const name = pathPart(ctx, 'name');
  const task = taskNumber(ctx);
  const entry = await existing(deps, ctx.state.call, name, unknownConnector(name));
  if (task === null || task >= taskConfigs(entry).length) {
    throw new HttpError('TASK_NOT_FOUND', `Unknown task: ${name}-${shortened(pathPart(ctx, 'task'))}`);
  }
  await request(ctx, deps, name, false, [task]);
  ctx.status = 204;
}

async function request(
  ctx: RouteContext,
  deps: RouteDeps,
  name: string,
  connector: boolean,
  tasks: readonly number[],
): Promise<void> {
  const work = deps.runtime.restart(ctx.state.call, { name, connector, tasks });
  await rewording(work, 'CONNECTOR_NOT_FOUND', unknownConnector(name));
}

/** Kafka Connect words it so of restarts, without the colon of target states, and `Connector X not found` elsewhere. */
function unknownConnector(name: string): string {
  return `Unknown connector: ${shortened(name)}`;
}
