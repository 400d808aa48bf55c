/** All routes, and what is answered where there is none. */
import Router from '@koa/router';

import type { Context, Middleware, Next, RequestState, RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { shortened } from '../names.js';
import { openApi, type Document } from '../openapi/document.js';
import { controlRoutes } from './connector-control.js';
import { connectorRoutes } from './connectors.js';
import { eventRoutes } from './events.js';
import { importRoutes } from './import.js';
import { loggerRoutes } from './loggers.js';
import { metricsRoutes } from './metrics.js';
import { nodeRoutes } from './nodes.js';
import { offsetRoutes } from './offsets.js';
import { pluginRoutes } from './plugins.js';
import { newerRocketmqRoutes } from './rocketmq-newer.js';
import { previewRoutes } from './preview.js';
import { rocketmqRoutes } from './rocketmq.js';
import { json, koaPath, type Route } from './route.js';
import { signalRoutes } from './signals.js';
import { topicRecordRoutes } from './topic-records.js';
import { topicRoutes } from './topics.js';
import { usedTopicRoutes } from './used-topics.js';
import { workerRoutes } from './worker.js';

/** In the order in which they are asked. */
export function routeTable(deps: RouteDeps): readonly Route[] {
  const table: readonly Route[] = [
    openApiRoute(() => openApi(table, deps.runtime.worker.version)),
    ...workerRoutes(deps),
    ...metricsRoutes(deps),
    ...eventRoutes(deps),
    ...loggerRoutes(deps),
    ...nodeRoutes(deps),
    ...(deps.legacy ? [...rocketmqRoutes(deps), ...newerRocketmqRoutes(deps)] : []),
    ...connectorRoutes(deps),
    ...controlRoutes(deps),
    ...signalRoutes(deps),
    ...offsetRoutes(deps),
    ...usedTopicRoutes(deps),
    ...topicRoutes(deps),
    ...topicRecordRoutes(deps),
    ...previewRoutes(deps),
    ...pluginRoutes(deps),
    ...importRoutes(deps),
  ];
  return table;
}

function openApiRoute(describe: () => Document): Route {
  let made: Document | null = null;
  return {
    method: 'get',
    path: '/openapi.json',
    summary: 'This description.',
    answers: { 200: json('OpenAPI 3.1.', { type: 'object' }) },
    handle: (ctx) => {
      ctx.body = made ??= describe();
    },
  };
}

export function createRouter(deps: RouteDeps): Router<RequestState> {
  const router = new Router<RequestState>();
  for (const { method, path, when, handle } of routeTable(deps)) {
    router[method](koaPath(path), (ctx: RouteContext, next: Next) =>
      when === undefined || when(ctx) ? handle(ctx, next) : next(),
    );
  }
  return router;
}

/** Runs after no route took the request: it exists with other methods, or not at all. */
export function answerNoRoute(router: Router<RequestState>): Middleware {
  return async (ctx: Context): Promise<void> => {
    // The whole server, which HTTP writes as `OPTIONS *`.
    if (ctx.method === 'OPTIONS' && ctx.path === '*') {
      ctx.status = 204;
      return;
    }
    const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    if (methods.size === 0)
      throw new HttpError('ROUTE_NOT_FOUND', `There is no route ${shortened(ctx.path)}.`);
    const allow = [...methods, 'OPTIONS'].sort().join(', ');
    ctx.set('allow', allow);
    if (ctx.method !== 'OPTIONS') {
      throw new HttpError('METHOD_NOT_ALLOWED', `${ctx.method} is not allowed here; allowed are ${allow}.`);
    }
    ctx.status = 204;
  };
}

/** The router leaves what it cannot decode as it is, which would then be a name. */
export function refuseMalformedPath(): Middleware {
  return async (ctx, next): Promise<void> => {
    try {
      decodeURIComponent(ctx.path);
    } catch (error) {
      throw new HttpError(
        'URL_MALFORMED',
        'The path holds a percent sign that starts no valid UTF-8 escape.',
        { cause: error },
      );
    }
    await next();
  };
}
