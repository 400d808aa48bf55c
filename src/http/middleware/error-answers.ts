/** The one place where an error becomes an answer. */
import type { Context, HttpLog, Middleware, Next } from '../context.js';
import { errorBody, type HttpError } from '../errors.js';
import { isFault, toHttpError } from '../failures.js';
import { lingering } from '../lingering.js';

export function answerErrors(log: HttpLog): Middleware {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
    } catch (thrown) {
      const error = toHttpError(thrown, ctx.state.call);
      logFault(ctx, error, log);
      answer(ctx, error);
    }
  };
}

function answer(ctx: Context, error: HttpError): void {
  const body = errorBody(error);
  ctx.status = error.status;
  ctx.set(error.headers);
  if (error.headers['connection'] === 'close' && !ctx.req.complete) {
    const text = JSON.stringify(body);
    ctx.body = lingering(text, ctx.req);
    ctx.type = 'json';
    ctx.length = Buffer.byteLength(text);
  } else {
    ctx.body = body;
  }
}

function logFault(ctx: Context, error: HttpError, log: HttpLog): void {
  if (!isFault(error)) return;
  log.error(
    { requestId: ctx.state.requestId, code: error.code, err: error.cause ?? error },
    'request failed',
  );
}
