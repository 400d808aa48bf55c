/** Kafka Connect's routes on the topics that a connector has used. */
import { existing } from '../connector-writes.js';
import type { RouteDeps } from '../context.js';
import { mapOf, list, object } from '../openapi/schemas.js';
import { pathPart } from './parameters.js';
import { empty, json, type Route } from './route.js';

const USED = mapOf(object({ topics: list({ type: 'string' }) }));

export function usedTopicRoutes({ runtime }: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/connectors/{name}/topics',
      summary: 'The topics that a connector has written to or read.',
      answers: { 200: json('Since it was created, or they were reset.', USED) },
      errors: ['CONNECTOR_NOT_FOUND', 'TOPIC_TRACKING_OFF'],
      handle: async (ctx) => {
        const { call } = ctx.state;
        const { name } = await existing({ runtime }, call, pathPart(ctx, 'name'));
        ctx.body = Object.fromEntries([[name, { topics: await runtime.usedTopics(call, name) }]]);
      },
    },
    {
      method: 'put',
      path: '/connectors/{name}/topics/reset',
      summary: 'Forget the topics that a connector has used: those that it uses from now on count.',
      answers: { 202: empty('They are forgotten.') },
      errors: ['CONNECTOR_NOT_FOUND', 'TOPIC_TRACKING_OFF', 'TOPIC_RESET_OFF'],
      handle: async (ctx) => {
        const { call } = ctx.state;
        const { name } = await existing({ runtime }, call, pathPart(ctx, 'name'));
        await runtime.forgetTopics(call, name);
        // In this order: Koa makes an empty body a 204.
        ctx.body = null;
        ctx.status = 202;
      },
    },
  ];
}
