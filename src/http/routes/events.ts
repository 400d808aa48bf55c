/** Ours: what happens to connectors, tasks and nodes, as server-sent events. */
import type { RuntimeEvent } from '../../core/event.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { EventStream } from '../events/event-stream.js';
import { followEvents, parsePlace, presentPlace, type Place } from '../events/follow-events.js';
import { shortened } from '../names.js';
import { queryValues } from './parameters.js';
import type { Route } from './route.js';

/** At once. Each is two questions to the other actors that are always open. */
const MAX_CLIENTS = 32;
const MAX_CONNECTORS = 100;
/** So long a client may read nothing of what is kept for it. */
const PATIENCE_MS = 30_000;

export function eventRoutes(deps: RouteDeps): readonly Route[] {
  const streams = new Set<EventStream>();
  deps.stopping?.addEventListener('abort', () => {
    for (const stream of [...streams]) stream.close('SHUTTING_DOWN', 'the node is stopping');
  });
  return [
    {
      method: 'get',
      path: '/events',
      summary: 'What happens to connectors, tasks and nodes from now on, as server-sent events.',
      query: {
        connector: {
          description: 'Only events of this connector; may be given several times.',
          schema: { type: 'string' },
        },
      },
      headers: {
        'Last-Event-ID': {
          description: 'The id of the last event that was seen: those after it come first.',
          schema: { type: 'string', pattern: '^\\d{1,15}-\\d{1,15}$' },
        },
      },
      answers: {
        200: {
          description:
            'A stream that does not end. Events are created, config, target, planned, restart, deleted, state, moved, node, gap, waiting and closed; their data is JSON.',
          content: { 'text/event-stream': { type: 'string' } },
        },
      },
      errors: ['EVENT_CLIENTS_FULL'],
      handle: (ctx) => stream(ctx, deps, streams),
    },
  ];
}

async function stream(
  ctx: RouteContext,
  { runtime, log, eventPatienceMs = PATIENCE_MS }: RouteDeps,
  streams: Set<EventStream>,
): Promise<void> {
  const { call } = ctx.state;
  const connectors = wanted(ctx);
  const from = lastSeen(ctx) ?? (await presentPlace(runtime, call.signal));
  if (streams.size >= MAX_CLIENTS)
    throw new HttpError('EVENT_CLIENTS_FULL', `${MAX_CLIENTS} clients follow the events of this node.`);
  ctx.status = 200;
  ctx.type = 'text/event-stream';
  // What comes after it would be another answer of the same connection: a stop need not wait for that.
  ctx.set('connection', 'close');
  if (ctx.method === 'HEAD') return;
  const ended = new AbortController();
  const events = new EventStream(eventPatienceMs, (code) => {
    if (code === 'TOO_SLOW')
      log?.warn({ client: ctx.ip, code }, 'a client that did not read its events was cut off');
    streams.delete(events);
    ended.abort();
  });
  streams.add(events);
  call.gone.addEventListener('abort', () => events.destroy());
  ctx.body = events;
  const wants = ({ connector }: RuntimeEvent): boolean =>
    connectors.size === 0 || (connector !== null && connectors.has(connector));
  void followEvents(runtime, { from, wants }, events, ended.signal).catch((error: unknown) => {
    events.close('INTERNAL', error instanceof Error ? error.message : String(error));
  });
}

function lastSeen(ctx: RouteContext): Place | null {
  const id = ctx.get('last-event-id').trim();
  if (id === '') return null;
  const place = parsePlace(id);
  if (place === null)
    throw new HttpError('QUERY_INVALID', 'Last-Event-ID must be an id that this route gave.', {
      fields: [{ field: 'Last-Event-ID', value: shortened(id), reason: 'must be two numbers, as 17-4711' }],
    });
  return place;
}

function wanted(ctx: RouteContext): ReadonlySet<string> {
  const names = queryValues(ctx, 'connector');
  if (names.length > MAX_CONNECTORS)
    throw new HttpError('QUERY_INVALID', `At most ${MAX_CONNECTORS} connectors can be named.`, {
      fields: [{ field: 'connector', value: null, reason: `must be given ${MAX_CONNECTORS} times at most` }],
    });
  return new Set(names);
}
