/** Kafka Connect's routes that pause, resume, stop and restart. */
import type { TargetState } from '../../core/model.js';
import { existing } from '../connector-writes.js';
import type { RouteContext, RouteDeps, Routes } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { taskConfigs } from '../shapes.js';
import { restarting } from '../status.js';
import { entryStatus } from './connectors.js';
import { flag, pathPart, taskNumber } from './parameters.js';

export function controlRoutes(router: Routes, deps: RouteDeps): void {
  router.put('/connectors/:name/pause', (ctx: RouteContext) => setTarget(ctx, deps, 'PAUSED', 202));
  router.put('/connectors/:name/resume', (ctx: RouteContext) => setTarget(ctx, deps, 'RUNNING', 202));
  router.put('/connectors/:name/stop', (ctx: RouteContext) => setTarget(ctx, deps, 'STOPPED', 204));
  router.post('/connectors/:name/restart', (ctx: RouteContext) => restart(ctx, deps));
  router.post('/connectors/:name/tasks/:task/restart', (ctx: RouteContext) => restartTask(ctx, deps));
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
    unknownConnector(name),
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

/** Kafka Connect words it so here, and `Connector X not found` elsewhere. */
function unknownConnector(name: string): string {
  return `Unknown connector: ${shortened(name)}`;
}
