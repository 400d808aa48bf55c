/** Names every request and logs how it was answered. Query strings may hold passwords: only the path is logged. */
import { randomUUID } from 'node:crypto';

import type { Context, HttpLog, Middleware, Next } from '../context.js';

const OWN_ID = /^[\w.:-]{1,64}$/;

export function logRequests(log: HttpLog): Middleware {
  return async (ctx: Context, next: Next): Promise<void> => {
    const started = performance.now();
    const given = ctx.get('x-request-id');
    ctx.state.requestId = OWN_ID.test(given) ? given : randomUUID();
    ctx.set('x-request-id', ctx.state.requestId);
    await next();
    const fields = {
      requestId: ctx.state.requestId,
      method: ctx.method,
      path: ctx.path.slice(0, 300),
      status: ctx.status,
      ms: Math.round(performance.now() - started),
    };
    const reads = ctx.method === 'GET' || ctx.method === 'HEAD' || ctx.method === 'OPTIONS';
    if (reads) log.debug(fields, 'request answered');
    else log.info(fields, 'request answered');
  };
}
