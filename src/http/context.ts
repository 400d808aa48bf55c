/** The Koa context of Troupe's routes. */
import type { RouterContext } from '@koa/router';
import type { Next, ParameterizedContext } from 'koa';

import type { Call, Runtime } from './runtime.js';
import type { SecretRules } from './secrets.js';

/** `call` is set by the time limit, which runs before every route. */
export interface RequestState {
  requestId: string;
  call: Call;
}

export type Context = ParameterizedContext<RequestState>;
export type RouteContext = RouterContext<RequestState>;
export type Middleware = (ctx: Context, next: Next) => Promise<void>;
export type { Next };

/** What the routes are made of. */
export interface RouteDeps {
  readonly runtime: Runtime;
  readonly secrets: SecretRules;
  readonly maxBodyBytes: number;
  /** Whether RocketMQ Connect's routes are there, of which some GETs change something. */
  readonly legacy: boolean;
  /** Aborted when the server begins to stop. */
  readonly stopping?: AbortSignal;
  readonly log?: HttpLog;
  /** So long a client of `/events` may read nothing of what is kept for it. Default 30,000. */
  readonly eventPatienceMs?: number;
}

/** The same shape as pino's. */
export interface HttpLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
