/**
 * RocketMQ Connect's newer REST API: paths and bodies as they were, in the envelope `{status, body}`. There every answer had the
 * HTTP status 200; here failures have the one that the same error has elsewhere. Where the first API has a path, too, that answers.
 */
import { readJsonObject } from '../body.js';
import { parseConfig } from '../config-body.js';
import { writeConfig } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { errorBody } from '../errors.js';
import { toHttpError } from '../failures.js';
import { refuseBrowsersUnlessSameSite } from '../middleware/foreign-sites.js';
import { object, schema } from '../openapi/schemas.js';
import { RuntimeFailure, type Call, type Config } from '../runtime.js';
import type { TargetState } from '../../core/model.js';
import { hideWith } from '../secrets.js';
import { connectorKinds, shownTaskConfigs, taskConfigs } from '../shapes.js';
import { connectorStatus, indexUnits, type ConnectorStatus, type UnitStateInfo } from '../status.js';
import { onlyGet } from './rocketmq.js';
import { pathPart } from './parameters.js';
import { json, WRITING, type Route } from './route.js';

type Handler = (ctx: RouteContext) => Promise<unknown>;

const ENVELOPE = object({ status: { type: 'integer' }, body: {} });

export function newerRocketmqRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime } = deps;
  const target = (action: string, state: TargetState, done: string): readonly Route[] => [
    changing(`/connectors/${action}/all`, `All connectors: ${action}.`, async (ctx) => {
      const entries = await runtime.connectors(ctx.state.call);
      for (const { name } of entries) await whereThere(runtime.setTarget(ctx.state.call, name, state));
      return `${entries.length} connectors ${done} successfully`;
    }),
    {
      ...changing(`/connectors/{name}/${action}`, `A connector: ${action}.`, async (ctx) => {
        const name = pathPart(ctx, 'name');
        await runtime.setTarget(ctx.state.call, name, state);
        return `Connector [${name}] ${done} successfully`;
      }),
      errors: ['CONNECTOR_NOT_FOUND'],
    },
  ];
  return [
    listRoute(deps),
    changing('/connectors/stop/all', 'Delete all connectors.', async (ctx) => {
      const entries = await runtime.connectors(ctx.state.call);
      for (const { name } of entries) await whereThere(runtime.delete(ctx.state.call, name));
      return `${entries.length} connectors deleted successfully`;
    }),
    ...target('pause', 'PAUSED', 'paused'),
    ...target('resume', 'RUNNING', 'resumed'),
    {
      method: 'post',
      path: '/connectors/{name}',
      summary: 'Create a connector, or replace its configuration.',
      body: schema('ConfigSent'),
      answers: { 200: json('The configuration that was sent.', ENVELOPE) },
      errors: WRITING,
      handle: enveloped(async (ctx) => {
        const config = parseConfig(await readJsonObject(ctx, deps.maxBodyBytes));
        const { call } = ctx.state;
        await writeConfig(deps, call, { name: pathPart(ctx, 'name'), config, mode: 'put' });
        return deps.secrets.hide(call, config);
      }),
    },
    reading('/allocated/connectors', 'The connectors of this node.', (ctx) =>
      allocatedConnectors(ctx.state.call, deps),
    ),
    reading('/allocated/tasks', 'The tasks of this node, by what they do.', (ctx) =>
      allocatedTasks(ctx.state.call, deps),
    ),
    ...['/plugin/list', '/plugin/list/connectors'].map((path) =>
      reading(path, 'What is installed.', async (ctx) => {
        const { plugins } = await runtime.plugins(ctx.state.call);
        const all = path === '/plugin/list';
        return plugins
          .filter(({ type, loads }) => loads !== false && (all || type === 'source' || type === 'sink'))
          .map(({ class: className, type, version }) => ({ className, type, version }));
      }),
    ),
  ];
}

/** A connector that has this name comes first. */
function listRoute(deps: RouteDeps): Route {
  const route = reading('/connectors/list', 'All connectors, with status.', (ctx) =>
    allConnectors(ctx.state.call, deps),
  );
  return {
    ...route,
    handle: async (ctx, next) => {
      const named = await deps.runtime.connector(ctx.state.call, 'list');
      await (named === null ? route.handle(ctx, next) : next());
    },
  };
}

function reading(path: string, summary: string, handler: Handler): Route {
  return {
    method: 'get',
    path,
    summary,
    answers: { 200: json('In the envelope.', ENVELOPE) },
    handle: enveloped(handler),
  };
}

function changing(path: string, summary: string, handler: Handler): Route {
  const handle = enveloped(handler);
  return {
    ...reading(path, summary, handler),
    handle: (ctx) => {
      refuseBrowsersUnlessSameSite(ctx);
      onlyGet(ctx);
      return handle(ctx);
    },
  };
}

function enveloped(handler: Handler): (ctx: RouteContext) => Promise<void> {
  return async (ctx) => {
    try {
      ctx.body = { status: 200, body: await handler(ctx) };
    } catch (thrown) {
      const error = toHttpError(thrown, ctx.state.call);
      if (error.code === 'INTERNAL') throw error;
      ctx.status = error.status;
      ctx.set(error.headers);
      ctx.body = { ...errorBody(error), errorCode: error.status };
    }
  };
}

/** Somebody else may delete it meanwhile. */
async function whereThere(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof RuntimeFailure) || error.code !== 'CONNECTOR_NOT_FOUND') throw error;
  }
}

async function allConnectors(call: Call, { runtime, secrets }: RouteDeps): Promise<unknown> {
  const [entries, view, plugins] = await Promise.all([
    runtime.connectors(call),
    runtime.cluster(call),
    runtime.plugins(call),
  ]);
  const [units, kindOf] = [indexUnits(view), connectorKinds(plugins)];
  const shown = new Map<string, unknown>();
  for (const entry of entries) {
    const kind = kindOf(entry.config);
    const type = kind.type.toUpperCase();
    const info = {
      name: entry.name,
      config: await secrets.hide(call, entry.config),
      tasks: taskConfigs(entry).map((_, task) => ({ connector: entry.name, task })),
      type,
    };
    shown.set(entry.name, { status: shownStatus(connectorStatus(entry, units, kind), type), info });
  }
  return Object.fromEntries(shown);
}

function shownStatus({ name, connector, tasks }: ConnectorStatus, type: string): unknown {
  return {
    name,
    connector: shownUnit(connector),
    tasks: tasks.map((task) => ({ ...shownUnit(task), id: task.id })),
    type,
  };
}

function shownUnit({ state, trace, worker_id: workerId }: UnitStateInfo): object {
  return { state, trace: trace ?? null, workerId };
}

async function allocatedConnectors(call: Call, deps: RouteDeps): Promise<unknown> {
  const shown = new Map<string, Config>();
  for (const { entry, status } of await heldHere(call, deps)) {
    if (status.connector.worker_id === deps.runtime.worker.workerId)
      shown.set(entry.name, await deps.secrets.hide(call, entry.config));
  }
  return Object.fromEntries(shown);
}

const LISTS = {
  UNASSIGNED: 'pendingTasks',
  RESTARTING: 'pendingTasks',
  RUNNING: 'runningTasks',
  PAUSED: 'runningTasks',
  STOPPED: 'stoppedTasks',
  FAILED: 'errorTasks',
} as const;

async function allocatedTasks(call: Call, deps: RouteDeps): Promise<unknown> {
  const lists: Record<string, object[]> = {
    pendingTasks: [],
    runningTasks: [],
    stoppingTasks: [],
    stoppedTasks: [],
    errorTasks: [],
  };
  for (const { entry, status } of await heldHere(call, deps)) {
    const isSecret = await deps.secrets.of(call, entry.config);
    const configs = shownTaskConfigs(entry);
    for (const task of status.tasks) {
      if (task.worker_id !== deps.runtime.worker.workerId) continue;
      const config = hideWith(isSecret, configs[task.id] ?? {});
      lists[LISTS[task.state]]?.push({ connectorName: entry.name, config, taskState: task.state });
    }
  }
  return lists;
}

async function heldHere(
  call: Call,
  { runtime }: RouteDeps,
): Promise<
  readonly {
    readonly entry: Awaited<ReturnType<typeof runtime.connectors>>[number];
    readonly status: ConnectorStatus;
  }[]
> {
  const [entries, view] = await Promise.all([runtime.connectors(call), runtime.cluster(call)]);
  const units = indexUnits(view);
  const kind = { type: 'unknown', version: null } as const;
  return entries.map((entry) => ({ entry, status: connectorStatus(entry, units, kind) }));
}
