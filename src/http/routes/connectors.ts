/** Kafka Connect's routes that read and write connectors. */
import type { ConnectorEntry } from '../../core/model.js';
import { readJsonObject } from '../body.js';
import { parseConfig, parseCreate, parsePatch } from '../config-body.js';
import { existing, notFound, patchConfig, writeConfig, type Written } from '../connector-writes.js';
import type { RouteContext, RouteDeps, Routes } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { hideWith } from '../secrets.js';
import { connectorInfo, connectorTypes, taskConfigs, type ConnectorInfo } from '../shapes.js';
import { connectorStatus, indexUnits, type ConnectorStatus } from '../status.js';
import { pathPart, queryValues, taskNumber } from './parameters.js';

export function connectorRoutes(router: Routes, deps: RouteDeps): void {
  router.get('/connectors', async (ctx: RouteContext) => {
    const expand = queryValues(ctx, 'expand');
    const entries = await deps.runtime.connectors(ctx.state.call);
    ctx.body =
      expand.length === 0 ? entries.map((entry) => entry.name) : await expanded(ctx, deps, entries, expand);
  });

  router.post('/connectors', async (ctx: RouteContext) => {
    const { name, config, initialState } = parseCreate(await readJsonObject(ctx, deps.maxBodyBytes));
    await answerWritten(
      ctx,
      deps,
      await writeConfig(deps, ctx.state.call, { name, config, mode: 'create', initialState }),
    );
  });

  router.get('/connectors/:name', async (ctx: RouteContext) => {
    ctx.body = await info(ctx, deps, await existing(deps, ctx.state.call, pathPart(ctx, 'name')));
  });

  router.delete('/connectors/:name', async (ctx: RouteContext) => {
    const name = pathPart(ctx, 'name');
    await rewording(deps.runtime.delete(ctx.state.call, name), 'CONNECTOR_NOT_FOUND', notFound(name));
    ctx.status = 204;
  });

  router.get('/connectors/:name/config', async (ctx: RouteContext) => {
    const { config } = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
    ctx.body = await deps.secrets.hide(ctx.state.call, config);
  });

  router.put('/connectors/:name/config', async (ctx: RouteContext) => {
    const config = parseConfig(await readJsonObject(ctx, deps.maxBodyBytes));
    const write = { name: pathPart(ctx, 'name'), config, mode: 'put' as const };
    await answerWritten(ctx, deps, await writeConfig(deps, ctx.state.call, write));
  });

  router.patch('/connectors/:name/config', async (ctx: RouteContext) => {
    const changes = parsePatch(await readJsonObject(ctx, deps.maxBodyBytes));
    ctx.body = await info(ctx, deps, await patchConfig(deps, ctx.state.call, pathPart(ctx, 'name'), changes));
  });

  router.get('/connectors/:name/status', async (ctx: RouteContext) => {
    ctx.body = await statusOf(ctx, deps, pathPart(ctx, 'name'));
  });

  router.get('/connectors/:name/tasks', async (ctx: RouteContext) => {
    const entry = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
    const isSecret = await deps.secrets.of(ctx.state.call, entry.config);
    ctx.body = taskConfigs(entry).map((config, task) => ({
      id: { connector: entry.name, task },
      config: hideWith(isSecret, config),
    }));
  });

  router.get('/connectors/:name/tasks/:task/status', async (ctx: RouteContext) => {
    const name = pathPart(ctx, 'name');
    const task = taskNumber(ctx);
    const status = await statusOf(ctx, deps, name);
    const found = status.tasks.find(({ id }) => id === task);
    if (found === undefined)
      throw new HttpError(
        'TASK_NOT_FOUND',
        `No status found for task ${name}-${shortened(pathPart(ctx, 'task'))}`,
      );
    ctx.body = found;
  });
}

async function statusOf(ctx: RouteContext, deps: RouteDeps, name: string): Promise<ConnectorStatus> {
  const entry = await existing(
    deps,
    ctx.state.call,
    name,
    `No status found for connector ${shortened(name)}`,
  );
  return entryStatus(ctx, deps, entry);
}

export async function entryStatus(
  ctx: RouteContext,
  deps: RouteDeps,
  entry: ConnectorEntry,
): Promise<ConnectorStatus> {
  const { call } = ctx.state;
  const [view, plugins] = await Promise.all([deps.runtime.cluster(call), deps.runtime.plugins(call)]);
  return connectorStatus(entry, indexUnits(view), connectorTypes(plugins)(entry.config));
}

async function info(ctx: RouteContext, deps: RouteDeps, entry: ConnectorEntry): Promise<ConnectorInfo> {
  const { call } = ctx.state;
  const [config, plugins] = await Promise.all([
    deps.secrets.hide(call, entry.config),
    deps.runtime.plugins(call),
  ]);
  return connectorInfo(entry, config, connectorTypes(plugins)(entry.config));
}

async function answerWritten(ctx: RouteContext, deps: RouteDeps, { entry, created }: Written): Promise<void> {
  const body = await info(ctx, deps, entry);
  ctx.status = created ? 201 : 200;
  if (created)
    ctx.set('location', `${ctx.protocol}://${ctx.host}/connectors/${encodeURIComponent(entry.name)}`);
  ctx.body = body;
}

interface Expanded {
  info?: ConnectorInfo;
  status?: ConnectorStatus;
}

/** Unknown expansions are ignored, as in Kafka Connect. */
async function expanded(
  ctx: RouteContext,
  deps: RouteDeps,
  entries: readonly ConnectorEntry[],
  expand: readonly string[],
): Promise<Readonly<Record<string, Expanded>>> {
  const { call } = ctx.state;
  const typeOf = connectorTypes(await deps.runtime.plugins(call));
  const units = expand.includes('status') ? indexUnits(await deps.runtime.cluster(call)) : null;
  const shown = new Map<string, Expanded>();
  for (const entry of entries) {
    const type = typeOf(entry.config);
    const parts: Expanded = {};
    if (expand.includes('info'))
      parts.info = connectorInfo(entry, await deps.secrets.hide(call, entry.config), type);
    if (units !== null) parts.status = connectorStatus(entry, units, type);
    shown.set(entry.name, parts);
  }
  return Object.fromEntries(shown);
}
