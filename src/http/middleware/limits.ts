/** When requests are served, how many at once, and how long one may take. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Context, Middleware, Next } from '../context.js';
import { HttpError } from '../errors.js';
import { timedOut } from '../failures.js';
import type { Call } from '../runtime.js';

/** While the server stops, connections that are still open get no further request, and are closed by their answer. */
export function refuseWhileStopping(stopping: AbortSignal): Middleware {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (stopping.aborted) {
      throw new HttpError('SHUTTING_DOWN', 'The node is stopping.', { headers: { connection: 'close' } });
    }
    await next();
    if (stopping.aborted) ctx.set('connection', 'close');
  };
}

/** A request holds its place until its answer is sent, so slow readers count too. */
export function boundConcurrency(limit: number): Middleware {
  let serving = 0;
  // An answer that waits behind another one of its connection does not hear of the connection's end.
  const unsent = new WeakMap<Socket, Set<ServerResponse>>();
  const unsentOf = (socket: Socket): Set<ServerResponse> => {
    const known = unsent.get(socket);
    if (known !== undefined) return known;
    const answers = new Set<ServerResponse>();
    unsent.set(socket, answers);
    socket.once('close', () => {
      serving -= answers.size;
      answers.clear();
    });
    return answers;
  };
  return async (ctx: Context, next: Next): Promise<void> => {
    if (serving >= limit) {
      throw new HttpError('TOO_BUSY', `The node is serving ${limit} requests, as many as it may; try again.`);
    }
    const answers = unsentOf(ctx.req.socket);
    answers.add(ctx.res);
    serving += 1;
    ctx.res.once('close', () => {
      if (answers.delete(ctx.res)) serving -= 1;
    });
    await next();
  };
}

/** Gives the request its Call, and answers for it when its time is over. */
export function limitTime(limitMs: number): Middleware {
  return async (ctx: Context, next: Next): Promise<void> => {
    const ends = performance.now() + limitMs;
    const abort = new AbortController();
    const gone = new AbortController();
    ctx.res.once('close', () => {
      gone.abort();
    });
    const call: Call = {
      signal: abort.signal,
      gone: gone.signal,
      remainingMs: () => Math.max(1, Math.round(ends - performance.now())),
      waitingFor: '',
    };
    ctx.state.call = call;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(timedOut(call));
        abort.abort();
      }, limitMs);
    });
    try {
      // What is still running then ends by its own deadline, and its outcome is dropped.
      await Promise.race([next(), timeUp]);
    } finally {
      clearTimeout(timer);
    }
  };
}
