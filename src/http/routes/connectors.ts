/** Kafka Connect's routes that read and write connectors. */
import type { ConnectorEntry } from '../../core/model.js';
import { readBothForms, readJsonObject } from '../body.js';
import { parseConfig, parseCreate, parsePatch } from '../config-body.js';
import { existing, notFound, patchConfig, writeConfig, type Written } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { schema } from '../openapi/schemas.js';
import { connectorHealth, type ConnectorHealth } from '../health.js';
import { hideWith } from '../secrets.js';
import {
  connectorInfo,
  connectorKinds,
  connectorTypes,
  shownTaskConfigs,
  type ConnectorInfo,
} from '../shapes.js';
import { connectorStatus, indexUnits, type ConnectorStatus } from '../status.js';
import { dropOffsets, setInitialOffsets } from './initial-offsets.js';
import { choice, pathPart, queryValues, taskNumber } from './parameters.js';
import { empty, json, WRITING, type Route } from './route.js';

export function connectorRoutes(deps: RouteDeps): readonly Route[] {
  return [...allRoutes(deps), ...oneRoutes(deps), ...taskRoutes(deps)];
}

function allRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connectors',
      summary: 'All connectors.',
      query: {
        expand: {
          description: 'What is told of each: info, status, health, or several of them.',
          schema: { type: 'array', items: { type: 'string' } },
        },
      },
      answers: { 200: json('Their names, or what is told of them by name.', schema('Connectors')) },
      handle: async (ctx) => {
        const expand = queryValues(ctx, 'expand');
        const entries = await deps.runtime.connectors(ctx.state.call);
        ctx.body =
          expand.length === 0
            ? entries.map((entry) => entry.name)
            : await expanded(ctx, deps, entries, expand);
      },
    },
    {
      method: 'post',
      path: '/connectors',
      summary: 'Create a connector.',
      body: schema('CreateConnector'),
      answers: { 201: json('It is created.', schema('ConnectorInfo')) },
      errors: [...WRITING, 'POSITIONS_REFUSED', 'PLUGIN_NOT_FOUND'],
      handle: async (ctx) => {
        const { map, plain } = await readBothForms(ctx, deps.maxBodyBytes);
        const { name, config, initialState } = parseCreate(map);
        const write = { name, config, mode: 'create' as const, initialState };
        const offsets = plain['initial_offsets'];
        const written =
          offsets === undefined
            ? await writeConfig(deps, ctx.state.call, write)
            : await setInitialOffsets(ctx, deps, write, offsets);
        await answerWritten(ctx, deps, written);
      },
    },
  ];
}

function oneRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connectors/{name}',
      summary: 'A connector.',
      answers: { 200: json('The connector.', schema('ConnectorInfo')) },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: async (ctx) => {
        ctx.body = await info(ctx, deps, await existing(deps, ctx.state.call, pathPart(ctx, 'name')));
      },
    },
    {
      method: 'delete',
      path: '/connectors/{name}',
      summary: 'Delete a connector.',
      query: {
        offsets: {
          description: 'drop: how far it is is forgotten, too.',
          schema: { type: 'string', enum: ['keep', 'drop'] },
        },
      },
      answers: { 204: empty('It is gone.') },
      errors: ['CONNECTOR_NOT_FOUND', 'CONNECTOR_NOT_STOPPED', 'POSITIONS_REFUSED', 'PLUGIN_NOT_FOUND'],
      handle: async (ctx) => {
        const name = pathPart(ctx, 'name');
        if (choice(ctx, 'offsets', ['keep', 'drop']) === 'drop') await dropOffsets(ctx, deps, name);
        await rewording(deps.runtime.delete(ctx.state.call, name), 'CONNECTOR_NOT_FOUND', notFound(name));
        ctx.status = 204;
      },
    },
    {
      method: 'get',
      path: '/connectors/{name}/config',
      summary: 'The configuration of a connector.',
      answers: { 200: json('Without its passwords.', schema('Config')) },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: async (ctx) => {
        const { config } = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
        ctx.body = await deps.secrets.hide(ctx.state.call, config);
      },
    },
    {
      method: 'put',
      path: '/connectors/{name}/config',
      summary: 'Create a connector, or replace its configuration.',
      body: schema('ConfigSent'),
      answers: {
        200: json('It is replaced.', schema('ConnectorInfo')),
        201: json('It is created.', schema('ConnectorInfo')),
      },
      errors: WRITING,
      handle: async (ctx) => {
        const config = parseConfig(await readJsonObject(ctx, deps.maxBodyBytes));
        const write = { name: pathPart(ctx, 'name'), config, mode: 'put' as const };
        await answerWritten(ctx, deps, await writeConfig(deps, ctx.state.call, write));
      },
    },
    {
      method: 'patch',
      path: '/connectors/{name}/config',
      summary: 'Change some keys of a configuration.',
      body: schema('ConfigPatch'),
      answers: { 200: json('The connector.', schema('ConnectorInfo')) },
      errors: ['CONNECTOR_NOT_FOUND', ...WRITING],
      handle: async (ctx) => {
        const changes = parsePatch(await readJsonObject(ctx, deps.maxBodyBytes));
        const entry = await patchConfig(deps, ctx.state.call, pathPart(ctx, 'name'), changes);
        ctx.body = await info(ctx, deps, entry);
      },
    },
    {
      method: 'get',
      path: '/connectors/{name}/status',
      summary: 'What a connector and its tasks are doing.',
      answers: { 200: json('The status.', schema('ConnectorStatus')) },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: async (ctx) => {
        ctx.body = await statusOf(ctx, deps, pathPart(ctx, 'name'));
      },
    },
  ];
}

function taskRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connectors/{name}/tasks',
      summary: 'The tasks of a connector, and their configurations.',
      answers: { 200: json('By number.', schema('Tasks')) },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: async (ctx) => {
        const entry = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
        const isSecret = await deps.secrets.of(ctx.state.call, entry.config);
        ctx.body = shownTaskConfigs(entry).map((config, task) => ({
          id: { connector: entry.name, task },
          config: hideWith(isSecret, config),
        }));
      },
    },
    {
      method: 'get',
      path: '/connectors/{name}/tasks/{task}/status',
      summary: 'What a task is doing.',
      answers: { 200: json('Its part of the status.', schema('TaskState')) },
      errors: ['CONNECTOR_NOT_FOUND', 'TASK_NOT_FOUND'],
      handle: (ctx) => taskStatus(ctx, deps),
    },
  ];
}

async function taskStatus(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const name = pathPart(ctx, 'name');
  const task = taskNumber(ctx);
  const missing = `No status found for task ${shortened(name)}-${shortened(pathPart(ctx, 'task'))}`;
  const status = await statusOf(ctx, deps, name, missing);
  const found = status.tasks.find(({ id }) => id === task);
  if (found === undefined) throw new HttpError('TASK_NOT_FOUND', missing);
  ctx.body = found;
}

async function statusOf(
  ctx: RouteContext,
  deps: RouteDeps,
  name: string,
  missing = `No status found for connector ${shortened(name)}`,
): Promise<ConnectorStatus> {
  return entryStatus(ctx, deps, await existing(deps, ctx.state.call, name, missing));
}

export async function entryStatus(
  ctx: RouteContext,
  deps: RouteDeps,
  entry: ConnectorEntry,
): Promise<ConnectorStatus> {
  const { call } = ctx.state;
  const [view, plugins] = await Promise.all([deps.runtime.cluster(call), deps.runtime.plugins(call)]);
  return connectorStatus(entry, indexUnits(view), connectorKinds(plugins)(entry.config));
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
  health?: ConnectorHealth;
}

/** Unknown expansions are ignored, as in Kafka Connect. */
async function expanded(
  ctx: RouteContext,
  deps: RouteDeps,
  entries: readonly ConnectorEntry[],
  expand: readonly string[],
): Promise<Readonly<Record<string, Expanded>>> {
  const { call } = ctx.state;
  const kindOf = connectorKinds(await deps.runtime.plugins(call));
  const wantsHealth = expand.includes('health');
  const units =
    expand.includes('status') || wantsHealth ? indexUnits(await deps.runtime.cluster(call)) : null;
  const shown = new Map<string, Expanded>();
  for (const entry of entries) {
    const kind = kindOf(entry.config);
    const parts: Expanded = {};
    if (expand.includes('info'))
      parts.info = connectorInfo(entry, await deps.secrets.hide(call, entry.config), kind.type);
    if (units !== null) {
      const status = connectorStatus(entry, units, kind);
      if (expand.includes('status')) parts.status = status;
      if (wantsHealth) parts.health = connectorHealth(status);
    }
    shown.set(entry.name, parts);
  }
  return Object.fromEntries(shown);
}
