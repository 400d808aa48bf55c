/** Ours: records of a connector, or of a configuration, through converters and transforms, with nothing written. */
import type { PreviewReply } from '../../actors/config-sync/protocol.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { blamingPlugin } from '../failures.js';
import { schema } from '../openapi/schemas.js';
import { choice, pathPart } from './parameters.js';
import { json, type QueryParameter, type Route } from './route.js';
import { LIMIT, limitOf } from './topic-records.js';

const FROM = ['latest', 'earliest', 'next'] as const;

export const PREVIEW = {
  query: {
    limit: LIMIT,
    from: {
      description:
        'Of a sink: the newest records of its topics, the oldest, or those that it would be given next. Of a source: `earliest` without its positions.',
      schema: { type: 'string', enum: FROM },
    },
  } satisfies Readonly<Record<string, QueryParameter>>,
  answers: { 200: json('The records, after the transforms.', schema('Preview')) },
  errors: [
    'PREVIEW_REFUSED',
    'CONFIG_INVALID',
    'TOPIC_NOT_FOUND',
    'TOPIC_OWN',
    'PLUGIN_NOT_FOUND',
    'PLUGIN_VERSION_NOT_FOUND',
    'PLUGIN_AMBIGUOUS',
    'PLANNING_FAILED',
    'PLANNING_TIMEOUT',
    'PLANNING_OUT_OF_MEMORY',
  ],
} as const;

export function previewRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connectors/{name}/preview',
      summary: 'Records of a connector through its converters and transforms; nothing is written or moved.',
      query: PREVIEW.query,
      answers: PREVIEW.answers,
      errors: ['CONNECTOR_NOT_FOUND', ...PREVIEW.errors],
      handle: (ctx) => answerPreview(ctx, deps, { connector: pathPart(ctx, 'name') }),
    },
  ];
}

export async function answerPreview(
  ctx: RouteContext,
  { runtime }: RouteDeps,
  of: { readonly connector: string } | { readonly config: Readonly<Record<string, string>> },
): Promise<void> {
  const request = { of, limit: limitOf(ctx), from: choice(ctx, 'from', FROM) };
  const { records, ...rest }: PreviewReply = await blamingPlugin(runtime.preview(ctx.state.call, request));
  ctx.type = 'json';
  // Records are JSON already, with every digit.
  ctx.body = `${JSON.stringify(rest).slice(0, -1)},"records":[${records.join()}]}`;
}
