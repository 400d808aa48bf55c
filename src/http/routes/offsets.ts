/** Kafka Connect's routes that read, alter and reset how far connectors are. */
import { parseUnitKey, type ConnectorEntry } from '../../core/model.js';
import type { ProgressChange } from '../../actors/persistence/protocol.js';
import { readPlainObject } from '../body.js';
import { existing, notFound } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { parseOffsets, shownOffsets, shownPositions } from '../offsets.js';
import { schema } from '../openapi/schemas.js';
import { connectorTypes } from '../shapes.js';
import { flag, pathPart } from './parameters.js';
import { flagParameter, json, type Route } from './route.js';

export function offsetRoutes(deps: RouteDeps): readonly Route[] {
  const path = '/connectors/{name}/offsets';
  const changing = [
    'CONNECTOR_NOT_FOUND',
    'CONNECTOR_NOT_STOPPED',
    'POSITIONS_REFUSED',
    'PLUGIN_NOT_FOUND',
  ] as const;
  return [
    {
      method: 'get',
      path,
      summary: 'How far a connector is.',
      answers: { 200: json('Positions of a source, offsets of a sink.', schema('Offsets')) },
      errors: ['CONNECTOR_NOT_FOUND', 'PLUGIN_NOT_FOUND'],
      query: { lag: flagParameter('Of a sink, also how far it is behind.') },
      handle: async (ctx) => {
        const { call } = ctx.state;
        const withLag = flag(ctx, 'lag', false);
        const entry = await existing(deps, call, pathPart(ctx, 'name'));
        const { positions, offsets } = await deps.runtime.offsets(call, entry.name);
        if ((await typeOf(ctx, deps, entry)) === 'source') ctx.body = shownPositions(positions);
        else ctx.body = shownOffsets(offsets, withLag ? await deps.runtime.lag(call, entry.name) : []);
      },
    },
    {
      method: 'patch',
      path,
      summary: 'Set how far a stopped connector is.',
      body: schema('OffsetsSent'),
      answers: { 200: json('It is durable and in force.', schema('Message')) },
      errors: changing,
      handle: async (ctx) => {
        const entry = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
        const body = await readPlainObject(ctx, deps.maxBodyBytes);
        const change = parseOffsets(body, await typeOf(ctx, deps, entry));
        await alter(ctx, deps, entry, change);
        ctx.body = { message: 'The offsets for this connector have been altered successfully' };
      },
    },
    {
      method: 'delete',
      path,
      summary: 'Forget how far a stopped connector is.',
      answers: { 200: json('It is durable and in force.', schema('Message')) },
      errors: changing,
      handle: async (ctx) => {
        const entry = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
        await alter(ctx, deps, entry, 'all');
        ctx.body = { message: 'The offsets for this connector have been reset successfully' };
      },
    },
  ];
}

async function alter(
  ctx: RouteContext,
  deps: RouteDeps,
  { name, targetState }: ConnectorEntry,
  change: ProgressChange,
): Promise<void> {
  const { call } = ctx.state;
  const { claims } = await deps.runtime.cluster(call);
  // What they still write counts no more, but they would write it beside what is set here.
  const stopping = claims.filter(({ unit }) => {
    const { connector, task } = parseUnitKey(unit);
    return connector === name && task !== null;
  });
  if (targetState === 'STOPPED' && stopping.length > 0)
    throw new HttpError(
      'CONNECTOR_NOT_STOPPED',
      `Connector ${shortened(name)} is being stopped: ${stopping.length} of its tasks are still there. Try again in a moment.`,
    );
  await rewording(deps.runtime.alterOffsets(call, name, change), 'CONNECTOR_NOT_FOUND', notFound(name));
}

async function typeOf(
  ctx: RouteContext,
  deps: RouteDeps,
  { name, config }: ConnectorEntry,
): Promise<'source' | 'sink'> {
  const type = connectorTypes(await deps.runtime.plugins(ctx.state.call))(config);
  if (type !== 'unknown') return type;
  throw new HttpError(
    'PLUGIN_NOT_FOUND',
    `The plugin of connector ${shortened(name)} is not installed here, so that nobody knows whether it is a source or a sink.`,
  );
}
