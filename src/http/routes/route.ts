/** A route as data: what the router registers, and what the description of the API is made from. */
import type { ErrorCode } from '../errors.js';
import type { Next, RouteContext } from '../context.js';
import type { Schema } from '../openapi/schemas.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Answer {
  readonly description: string;
  /** Of the body, by media type; absent: there is none. */
  readonly content?: Readonly<Record<string, Schema>>;
}

export interface Route {
  readonly method: Method;
  /** Parts that vary stand in braces, as in OpenAPI: `/connectors/{name}`. */
  readonly path: string;
  readonly summary: string;
  /** Parameters of the query; none is required unless its schema's `required` says so. */
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** Headers of the request that mean something here. */
  readonly headers?: Readonly<Record<string, QueryParameter>>;
  /** Of the JSON that is to be sent; absent: a body is not read. */
  readonly body?: Schema;
  /** By HTTP status, those that are no errors. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Besides those that any route may answer. */
  readonly errors?: readonly ErrorCode[];
  /** Where it does not hold, the next route of this method and path has the request. */
  readonly when?: (ctx: RouteContext) => boolean;
  readonly handle: (ctx: RouteContext, next: Next) => void | Promise<void>;
}

export interface QueryParameter {
  readonly description: string;
  readonly schema: Schema;
  readonly required?: true;
}

export function json(description: string, schema: Schema): Answer {
  return { description, content: { 'application/json': schema } };
}

export function text(description: string): Answer {
  return { description, content: { 'text/plain': { type: 'string' } } };
}

export function empty(description: string): Answer {
  return { description };
}

export function flagParameter(description: string): QueryParameter {
  return { description, schema: { type: 'string', enum: ['true', 'false', ''] } };
}

/** How koa writes the path. */
export function koaPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** What the writing of a configuration may be answered. */
export const WRITING = [
  'CONNECTOR_NAME_INVALID',
  'CONFIG_INVALID',
  'CONFIG_NAME_MISMATCH',
  'CONNECTOR_EXISTS',
  'VERSION_CONFLICT',
  'PLANNING_FAILED',
  'PLANNING_TIMEOUT',
  'PLANNING_OUT_OF_MEMORY',
] as const;
