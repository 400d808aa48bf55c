/** Ours: the topics of the log. */
import type { RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { shortened } from '../names.js';
import { list, schema } from '../openapi/schemas.js';
import { pathPart } from './parameters.js';
import { empty, json, type Route } from './route.js';

export function topicRoutes({ runtime }: RouteDeps): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/topics',
      summary: 'The topics of the log.',
      answers: { 200: json('By name.', list(schema('TopicSummary'))) },
      handle: async (ctx) => {
        ctx.body = await runtime.topics(ctx.state.call);
      },
    },
    {
      method: 'get',
      path: '/topics/{topic}',
      summary: 'A topic: its queues, how long it keeps records, and the connectors that use it.',
      answers: { 200: json('The topic.', schema('TopicDetails')) },
      errors: ['TOPIC_NOT_FOUND'],
      handle: async (ctx) => {
        const name = pathPart(ctx, 'topic');
        const found = await runtime.topic(ctx.state.call, name);
        if (found === null) throw new HttpError('TOPIC_NOT_FOUND', `There is no topic ${shortened(name)}.`);
        ctx.body = found;
      },
    },
    {
      method: 'delete',
      path: '/topics/{topic}',
      summary: 'Delete a topic that no connector uses, with all its records.',
      answers: { 204: empty('It is gone.') },
      errors: ['TOPIC_NOT_FOUND', 'TOPIC_OWN', 'TOPIC_IN_USE'],
      handle: async (ctx) => {
        await runtime.deleteTopic(ctx.state.call, pathPart(ctx, 'topic'));
        ctx.status = 204;
      },
    },
  ];
}
