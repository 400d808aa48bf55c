/** Ours: records of a topic, and what is read from a request for them. */
import type { RecordsReply, RecordsRequest, WindowFrom } from '../../actors/config-sync/protocol.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { shortened } from '../names.js';
import { schema } from '../openapi/schemas.js';
import { pathPart, queryValues } from './parameters.js';
import { json, type QueryParameter, type Route } from './route.js';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1000;
const CONVERTER_KEY = /^(?:key|value|header)\.converter(?:\..+)?$/;

const DIGITS: QueryParameter['schema'] = { type: 'string', pattern: '^\\d{1,15}$' };

export const LIMIT: QueryParameter = {
  description: `How many records at most: 1 to ${MAX_LIMIT}, by default ${DEFAULT_LIMIT}.`,
  schema: { type: 'string', pattern: '^\\d{1,4}$' },
};

export function topicRecordRoutes({ runtime }: RouteDeps): readonly Route[] {
  const converter = (part: string): QueryParameter => ({
    description: `Converter of ${part}; its options stand under the same name, as in a configuration. Default: the node's.`,
    schema: { type: 'string' },
  });
  return [
    {
      method: 'get',
      path: '/topics/{topic}/records',
      summary: 'Records of a topic, converted, without moving any offset: by default the newest.',
      query: {
        queue: { description: 'Of this queue alone; without it the limit is shared out.', schema: DIGITS },
        offset: {
          description: 'From this offset of the queue on, or `earliest`, or `latest`.',
          schema: { type: 'string', pattern: '^(?:\\d{1,15}|earliest|latest)$' },
        },
        timestamp: { description: 'From this time on: milliseconds since 1970.', schema: DIGITS },
        limit: LIMIT,
        connector: {
          description: 'With the converters of this connector, instead of those below.',
          schema: { type: 'string' },
        },
        'key.converter': converter('keys'),
        'value.converter': converter('values'),
        'header.converter': converter("headers' values"),
      },
      answers: { 200: json('In the order of the queues and their offsets.', schema('Records')) },
      errors: [
        'TOPIC_NOT_FOUND',
        'QUEUE_NOT_FOUND',
        'TOPIC_OWN',
        'CONNECTOR_NOT_FOUND',
        'CONFIG_INVALID',
        'PLUGIN_NOT_FOUND',
        'PLUGIN_VERSION_NOT_FOUND',
        'PLUGIN_AMBIGUOUS',
        'PLANNING_FAILED',
        'PLANNING_TIMEOUT',
        'PLANNING_OUT_OF_MEMORY',
      ],
      handle: async (ctx) => {
        const queue = digits(ctx, 'queue');
        const request: RecordsRequest = {
          topic: pathPart(ctx, 'topic'),
          queue,
          from: windowFrom(ctx, queue),
          limit: limitOf(ctx),
          converters: convertersOf(ctx),
        };
        answerRecords(ctx, await runtime.records(ctx.state.call, request));
      },
    },
  ];
}

/** Records are JSON already, with every digit. */
export function answerRecords(ctx: RouteContext, { queues, records, stopped }: RecordsReply): void {
  ctx.type = 'json';
  ctx.body = `{"queues":${JSON.stringify(queues)},"records":[${records.join()}],"stopped":${JSON.stringify(stopped)}}`;
}

export function limitOf(ctx: RouteContext): number {
  const limit = digits(ctx, 'limit') ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > MAX_LIMIT) throw invalid('limit', String(limit), `must be 1 to ${MAX_LIMIT}`);
  return limit;
}

function windowFrom(ctx: RouteContext, queue: number | null): WindowFrom {
  const timestamp = digits(ctx, 'timestamp');
  const given = queryValues(ctx, 'offset').at(-1);
  if (timestamp !== null && given !== undefined)
    throw invalid('timestamp', String(timestamp), 'cannot be given together with offset');
  if (timestamp !== null) return { kind: 'timestamp', timestamp };
  if (given === undefined || given === 'latest') return { kind: 'latest' };
  if (given === 'earliest') return { kind: 'earliest' };
  const offset = digits(ctx, 'offset');
  if (offset === null || queue === null)
    throw invalid('offset', given, 'is a place in one queue: give the queue as well');
  return { kind: 'offset', offset };
}

function convertersOf(ctx: RouteContext): RecordsRequest['converters'] {
  const keys = Object.keys(ctx.query).filter((key) => CONVERTER_KEY.test(key));
  const connector = queryValues(ctx, 'connector').at(-1);
  if (connector === undefined)
    return { config: Object.fromEntries(keys.map((key) => [key, queryValues(ctx, key).at(-1) ?? ''])) };
  // Its passwords must not be sent to where somebody else says.
  if (keys[0] !== undefined)
    throw invalid(keys[0], null, 'cannot be given together with connector, which has converters of its own');
  return { connector };
}

function digits(ctx: RouteContext, name: string): number | null {
  const value = queryValues(ctx, name).at(-1);
  if (value === undefined) return null;
  if (!/^\d{1,15}$/.test(value)) throw invalid(name, value, 'must be a whole number');
  return Number(value);
}

function invalid(field: string, value: string | null, reason: string): HttpError {
  const shown = value === null ? null : shortened(value);
  return new HttpError('QUERY_INVALID', `The query parameter ${field} ${reason}.`, {
    fields: [{ field, value: shown, reason }],
  });
}
