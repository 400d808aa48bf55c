/** Ours: offsets that come with a connector, and go with it. Each step can be repeated after a failure. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseUnitKey } from '../../core/model.js';
import { existing, notFound, writeConfig, type ConfigWrite, type Written } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { parseOffsets } from '../offsets.js';
import type { Call } from '../runtime.js';
import { connectorTypes } from '../shapes.js';
import { parseStart, startOffsets } from '../start-offsets.js';

const LOOK_MS = 50;

/** Stopped until they are set; gone again where they are refused. */
export async function setInitialOffsets(
  ctx: RouteContext,
  deps: RouteDeps,
  write: ConfigWrite,
  given: unknown,
): Promise<Written> {
  const { call } = ctx.state;
  const type = connectorTypes(await deps.runtime.plugins(call))(write.config);
  if (type === 'unknown') {
    // Its class is what is wrong with it.
    return writeConfig(deps, call, write);
  }
  const offsets = typeof given === 'string' ? await begin(deps, call, write, type, given) : given;
  if (offsets === null) return writeConfig(deps, call, write);
  const change = parseOffsets({ offsets }, type);
  const { entry } = await writeConfig(deps, call, { ...write, initialState: 'STOPPED' });
  try {
    await deps.runtime.alterOffsets(call, entry.name, change);
  } catch (error) {
    await deps.runtime.delete(call, entry.name);
    throw error;
  }
  const state = write.initialState ?? 'RUNNING';
  return { entry: await deps.runtime.setTarget(call, entry.name, state), created: true };
}

/** Null: where it begins anyway. */
async function begin(
  deps: RouteDeps,
  call: Call,
  { config }: ConfigWrite,
  type: 'source' | 'sink',
  given: string,
): Promise<unknown> {
  const start = parseStart(given);
  if (type === 'source') {
    const reason = 'must be a list of positions: a source says itself where it begins';
    throw new HttpError('BODY_INVALID', `The body is invalid: initial_offsets ${reason}.`, {
      fields: [{ field: 'initial_offsets', value: given.slice(0, 100), reason }],
    });
  }
  const offsets = await startOffsets(deps, call, config, start);
  return offsets.length === 0 ? null : offsets;
}

/** Stops it, and waits for its tasks: what they would still write must not be kept. */
export async function dropOffsets(ctx: RouteContext, deps: RouteDeps, name: string): Promise<void> {
  const { runtime } = deps;
  const { call } = ctx.state;
  await existing(deps, call, name);
  await rewording(runtime.setTarget(call, name, 'STOPPED'), 'CONNECTOR_NOT_FOUND', notFound(name));
  const until = performance.now() + call.remainingMs() / 2;
  while (await isHeld(deps, ctx, name)) {
    if (performance.now() > until)
      throw new HttpError(
        'CONNECTOR_NOT_STOPPED',
        `Connector ${shortened(name)} is stopped, and some of its tasks are still there: it is not deleted. Try again in a moment.`,
      );
    await delay(LOOK_MS);
  }
  await runtime.alterOffsets(call, name, 'all');
}

async function isHeld({ runtime }: RouteDeps, ctx: RouteContext, name: string): Promise<boolean> {
  const { claims } = await runtime.cluster(ctx.state.call);
  return claims.some(({ unit }) => {
    const { connector, task } = parseUnitKey(unit);
    return connector === name && task !== null;
  });
}
