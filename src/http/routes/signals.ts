/** Ours: what users tell connectors that are there already. */
import { randomUUID } from 'node:crypto';
import { readPlainObject } from '../body.js';
import { existing, notFound } from '../connector-writes.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { rewording } from '../failures.js';
import { shortened } from '../names.js';
import { list, schema } from '../openapi/schemas.js';
import { parseSignal, shownSignal } from '../signals.js';
import { milliseconds, pathPart } from './parameters.js';
import { json, type Route } from './route.js';

const DEFAULT_WAIT_MS = 10_000;
/** What the answer itself needs of the time that a request may take. */
const SPARE_MS = 1000;

export function signalRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'post',
      path: '/connectors/{name}/signals',
      summary: 'Tell a connector that is there already to do something.',
      query: {
        timeout: {
          description: 'How long answers are waited for, in milliseconds.',
          schema: { type: 'string', pattern: '^\\d{1,9}$' },
        },
      },
      body: schema('SignalSent'),
      answers: {
        200: json('All have answered.', schema('Signal')),
        202: json('Some have not answered yet.', schema('Signal')),
      },
      errors: [
        'CONNECTOR_NOT_FOUND',
        'TASK_NOT_FOUND',
        'CONNECTOR_STOPPED',
        'SIGNAL_EXISTS',
        'TOO_MANY_SIGNALS',
      ],
      handle: (ctx) => send(ctx, deps),
    },
    {
      method: 'get',
      path: '/connectors/{name}/signals',
      summary: 'The signals of a connector.',
      answers: { 200: json('The oldest first.', list(schema('Signal'))) },
      errors: ['CONNECTOR_NOT_FOUND'],
      handle: async (ctx) => {
        const { name } = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
        ctx.body = (await deps.runtime.signals(ctx.state.call, name)).map(shownSignal);
      },
    },
    {
      method: 'get',
      path: '/connectors/{name}/signals/{id}',
      summary: 'What became of a signal.',
      answers: { 200: json('The signal.', schema('Signal')) },
      errors: ['CONNECTOR_NOT_FOUND', 'SIGNAL_NOT_FOUND'],
      handle: (ctx) => answerSignal(ctx, deps),
    },
  ];
}

async function answerSignal(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const { name } = await existing(deps, ctx.state.call, pathPart(ctx, 'name'));
  const id = pathPart(ctx, 'id');
  const record = await deps.runtime.signal(ctx.state.call, name, id);
  if (record === null)
    throw new HttpError(
      'SIGNAL_NOT_FOUND',
      `Connector ${shortened(name)} has no signal ${shortened(id)} (any more)`,
    );
  ctx.body = shownSignal(record);
}

/** 200 where all have answered in time, else 202. */
async function send(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const { call } = ctx.state;
  const name = pathPart(ctx, 'name');
  const asked = milliseconds(ctx, 'timeout', DEFAULT_WAIT_MS);
  const { id, signal, to } = parseSignal(await readPlainObject(ctx, deps.maxBodyBytes));
  const waitMs = Math.max(0, Math.min(asked, call.remainingMs() - SPARE_MS));
  const work = deps.runtime.sendSignal(call, { name, id: id ?? randomUUID(), signal, to, waitMs });
  const shown = shownSignal(await rewording(work, 'CONNECTOR_NOT_FOUND', notFound(name)));
  ctx.status = shown.state === 'ANSWERED' ? 200 : 202;
  ctx.set(
    'location',
    `${ctx.protocol}://${ctx.host}/connectors/${encodeURIComponent(name)}/signals/${shown.id}`,
  );
  ctx.body = shown;
}
