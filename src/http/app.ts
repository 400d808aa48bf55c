/** The whole path of a request, in order. */
import Koa from 'koa';

import type { DefaultConverters } from '../plugins/configured-plugins.js';
import { refuseLargeBody, refuseTransferEncoding } from './body.js';
import type { HttpLog, RequestState } from './context.js';
import { answerErrors } from './middleware/error-answers.js';
import { refuseForeignSites } from './middleware/foreign-sites.js';
import { boundConcurrency, limitTime, refuseWhileStopping } from './middleware/limits.js';
import { logRequests } from './middleware/request-log.js';
import { answerNoRoute, createRouter, refuseMalformedPath } from './routes/router.js';
import type { Runtime } from './runtime.js';
import { SecretRules } from './secrets.js';

export interface AppOptions {
  /** The address listened on. */
  readonly host: string;
  /** Further host names that requests may address. */
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  /** RocketMQ Connect's routes; default true. */
  readonly legacy?: boolean;
  readonly requestTimeoutMs: number;
  /** Requests served at once. */
  readonly maxConcurrentRequests: number;
  /** The node's, of connectors that name none. */
  readonly defaultConverters?: DefaultConverters;
  /** See RouteDeps. */
  readonly eventPatienceMs?: number;
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal;
}

export function createApp(runtime: Runtime, options: AppOptions, log: HttpLog): Koa<RequestState> {
  const secrets = new SecretRules(runtime, options.defaultConverters ?? {});
  const { maxBodyBytes, legacy = true, stopping } = options;
  const { eventPatienceMs } = options;
  const deps = {
    runtime,
    secrets,
    maxBodyBytes,
    legacy,
    stopping,
    log,
    ...(eventPatienceMs !== undefined && { eventPatienceMs }),
  };
  const router = createRouter(deps);
  const app = new Koa<RequestState>();
  app.use(async (ctx, next) => {
    ctx.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    await next();
  });
  app.use(logRequests(log));
  app.use(answerErrors(log));
  app.use(refuseForeignSites(options));
  app.use(refuseWhileStopping(stopping));
  app.use(boundConcurrency(options.maxConcurrentRequests));
  app.use(limitTime(options.requestTimeoutMs));
  app.use(async (ctx, next) => {
    refuseTransferEncoding(ctx);
    refuseLargeBody(ctx, options.maxBodyBytes);
    await next();
  });
  app.use(refuseMalformedPath());
  app.use(router.routes());
  app.use(answerNoRoute(router));
  // What is left are faults of the connection, after an answer was on its way.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer could not be sent'));
  return app;
}
