/**
 * RocketMQ Connect's first REST API: GET only, text/plain. Its paths and success texts are kept. Its failures said
 * `failed` with status 200; here they say why and carry the status that the same error has elsewhere.
 */
import { notFound, writeConfig } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { isJsonMap, parseJson } from '../json.js';
import { parseConfig } from '../config-body.js';
import { rewording, toHttpError } from '../failures.js';
import { refuseBrowsersUnlessSameSite } from '../middleware/foreign-sites.js';
import { nameProblem } from '../../core/connectors/connector-name.js';
import { holdsHidden, hideWith } from '../secrets.js';
import { RuntimeFailure, type Call, type Config } from '../runtime.js';
import { taskConfigs } from '../shapes.js';
import { connectorStatus, indexUnits, type UnitStateInfo } from '../status.js';
import { pathPart, prefersText, queryValues } from './parameters.js';
import { text, WRITING, type Route } from './route.js';

/** Its type and version are not told. */
const UNKNOWN = { type: 'unknown', version: null } as const;

type Handler = (ctx: RouteContext) => Promise<string>;

/** Registered before Kafka Connect's routes, with which they share some paths. */
export function rocketmqRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime } = deps;
  return [
    reading('/getClusterInfo', 'The ids of the members.', async (ctx) => {
      const { members } = await runtime.cluster(ctx.state.call);
      return JSON.stringify(members.map((member) => member.id));
    }),
    reading('/getConfigInfo', 'All configurations.', (ctx) => configInfo(ctx.state.call, deps)),
    reading('/getAllocatedInfo', 'What runs where.', (ctx) => allocatedInfo(ctx.state.call, deps)),
    changing('/plugin/reload', 'Read the plugins again.', async (ctx) => {
      await runtime.reloadPlugins(ctx.state.call);
      deps.secrets.forget();
      return 'success';
    }),
    changing('/connectors/stopAll', 'Delete all connectors.', (ctx) => deleteAll(ctx.state.call, deps)),
    {
      ...changing('/connectors/{name}/stop', 'Delete a connector.', (ctx) =>
        deleteOne(ctx.state.call, deps, pathPart(ctx, 'name')),
      ),
      errors: ['CONNECTOR_NOT_FOUND'],
    },
    {
      ...changing('/connectors/{name}', 'A connector.', (ctx) => upsertConnector(ctx, deps)),
      query: {
        config: {
          description: 'Of a connector that is to be created or replaced, as JSON.',
          schema: { type: 'string' },
        },
      },
      errors: ['BODY_NOT_JSON', 'BODY_INVALID', ...WRITING],
      when: (ctx) => ctx.query['config'] !== undefined,
    },
    {
      ...reading('/connectors/{name}/config', 'The configuration of a connector.', (ctx) =>
        connectorConfig(ctx, deps),
      ),
      when: prefersText,
    },
    {
      ...reading('/connectors/{name}/status', 'What a connector and its tasks are doing.', (ctx) =>
        runningOrNot(ctx, deps),
      ),
      when: prefersText,
    },
  ];
}

function reading(path: string, summary: string, handler: Handler): Route {
  return { method: 'get', path, summary, answers: { 200: text('As text.') }, handle: answering(handler) };
}

function changing(path: string, summary: string, handler: Handler): Route {
  return { ...reading(path, summary, handler), handle: guarded(handler) };
}

/** Answers text, also where the route fails. Refusals of the whole request (403, 413…) stay JSON. */
function answering(handler: Handler): (ctx: RouteContext) => Promise<void> {
  return async (ctx) => {
    ctx.type = 'text/plain; charset=utf-8';
    try {
      ctx.body = await handler(ctx);
    } catch (thrown) {
      const error = toHttpError(thrown, ctx.state.call);
      if (error.code === 'INTERNAL') throw error;
      ctx.status = error.status;
      ctx.set(error.headers);
      ctx.body = `failed! ${error.message} [${error.code}]`;
    }
  };
}

/** A GET that changes something: no HEAD, and no browser on behalf of a page. */
function guarded(handler: Handler): (ctx: RouteContext) => Promise<void> {
  const answer = answering(handler);
  return async (ctx) => {
    refuseBrowsersUnlessSameSite(ctx);
    onlyGet(ctx);
    await answer(ctx);
  };
}

/** koa would answer HEAD, too. */
export function onlyGet(ctx: RouteContext): void {
  if (ctx.method === 'GET') return;
  throw new HttpError('METHOD_NOT_ALLOWED', 'This route changes something: only GET is accepted.', {
    headers: { allow: 'GET' },
  });
}

async function upsertConnector(ctx: RouteContext, deps: RouteDeps): Promise<string> {
  const name = pathPart(ctx, 'name');
  const given = queryValues(ctx, 'config').at(-1) ?? '';
  if (given.trim() === '') throw new HttpError('QUERY_INVALID', "query param 'config' is required");
  const parsed = parseJson(given);
  if (!isJsonMap(parsed)) throw new HttpError('QUERY_INVALID', "query param 'config' must be a JSON object");
  const config = parseConfig(parsed);
  const stored = nameProblem(name) === null ? await deps.runtime.connector(ctx.state.call, name) : null;
  if (stored !== null && !holdsHidden(config) && sameConfig(stored.config, { ...config, name })) {
    ctx.status = 409;
    return 'Connector with same config already exist.';
  }
  await writeConfig(deps, ctx.state.call, { name, config, mode: 'put' });
  return 'success';
}

function sameConfig(left: Config, right: Config): boolean {
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && left[key] === right[key])
  );
}

async function deleteOne(call: Call, deps: RouteDeps, name: string): Promise<string> {
  await rewording(deps.runtime.delete(call, name), 'CONNECTOR_NOT_FOUND', notFound(name));
  return 'success';
}

async function deleteAll(call: Call, deps: RouteDeps): Promise<string> {
  for (const { name } of await deps.runtime.connectors(call)) {
    try {
      await deps.runtime.delete(call, name);
    } catch (error) {
      // Somebody else deleted it meanwhile.
      if (!(error instanceof RuntimeFailure) || error.code !== 'CONNECTOR_NOT_FOUND') throw error;
    }
  }
  return 'success';
}

async function connectorConfig(ctx: RouteContext, deps: RouteDeps): Promise<string> {
  const entry = await deps.runtime.connector(ctx.state.call, pathPart(ctx, 'name'));
  if (entry === null) {
    ctx.status = 404;
    return 'ConnectorConfigs:null\nTaskConfigs:null';
  }
  const isSecret = await deps.secrets.of(ctx.state.call, entry.config);
  const tasks = taskConfigs(entry).map((config) => hideWith(isSecret, config));
  return `ConnectorConfigs:${JSON.stringify(hideWith(isSecret, entry.config))}\nTaskConfigs:${JSON.stringify(tasks)}`;
}

async function runningOrNot(ctx: RouteContext, deps: RouteDeps): Promise<string> {
  const { call } = ctx.state;
  const entry = await deps.runtime.connector(call, pathPart(ctx, 'name'));
  if (entry === null) {
    ctx.status = 404;
    return 'not running';
  }
  const { connector } = connectorStatus(entry, indexUnits(await deps.runtime.cluster(call)), UNKNOWN);
  return connector.state === 'RUNNING' ? 'running' : 'not running';
}

async function configInfo(call: Call, deps: RouteDeps): Promise<string> {
  const connectors = new Map<string, { properties: Config }>();
  const tasks = new Map<string, readonly { properties: Config }[]>();
  for (const entry of await deps.runtime.connectors(call)) {
    const isSecret = await deps.secrets.of(call, entry.config);
    connectors.set(entry.name, { properties: hideWith(isSecret, entry.config) });
    tasks.set(
      entry.name,
      taskConfigs(entry).map((config) => ({ properties: hideWith(isSecret, config) })),
    );
  }
  return `ConnectorConfigs:${jsonOf(connectors)}\nTaskConfigs:${jsonOf(tasks)}`;
}

function jsonOf(map: ReadonlyMap<string, unknown>): string {
  return JSON.stringify(Object.fromEntries(map));
}

/** Of the whole cluster, as upstream's nodes told of themselves; the id of the node is ours. */
async function allocatedInfo(call: Call, deps: RouteDeps): Promise<string> {
  const [entries, view] = await Promise.all([deps.runtime.connectors(call), deps.runtime.cluster(call)]);
  const units = indexUnits(view);
  const connectors: string[] = [];
  const tasks: string[] = [];
  for (const entry of entries) {
    const status = connectorStatus(entry, units, UNKNOWN);
    const isSecret = await deps.secrets.of(call, entry.config);
    const line = (name: string, { state, worker_id }: UnitStateInfo, config: Config): string =>
      `${name}\nState:${state}\nWorkerId:${worker_id}\nConfigs:${JSON.stringify(hideWith(isSecret, config))}\n`;
    if (isHeld(status.connector))
      connectors.push(line(`connectorName:${entry.name}`, status.connector, entry.config));
    for (const task of status.tasks) {
      const config = { ...entry.config, ...entry.tasks?.configs[task.id] };
      if (isHeld(task)) tasks.push(line(`taskId:${entry.name}/${task.id}`, task, config));
    }
  }
  return `working connectors:\n${connectors.join('')}working tasks:\n${tasks.join('')}`;
}

function isHeld({ state, worker_id }: UnitStateInfo): boolean {
  return worker_id !== '' && state !== 'STOPPED';
}
