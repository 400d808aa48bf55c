/** What routes read from path and query. */
import type { RouteContext } from '../context.js';
import { HttpError } from '../errors.js';
import { shortened } from '../names.js';

/** A part of the path, decoded and trimmed. */
export function pathPart(ctx: RouteContext, part: string): string {
  return (ctx.params[part] ?? '').trim();
}

/** A task number; null for what cannot be one. */
export function taskNumber(ctx: RouteContext): number | null {
  const text = pathPart(ctx, 'task');
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

export function flag(ctx: RouteContext, name: string, defaultValue: boolean): boolean {
  const value = queryValues(ctx, name).at(-1);
  if (value === undefined) return defaultValue;
  if (value === 'true' || value === '') return true;
  if (value === 'false') return false;
  throw new HttpError('QUERY_INVALID', `The query parameter ${name} must be true or false.`, {
    fields: [{ field: name, value: shortened(value), reason: 'must be true or false' }],
  });
}

export function milliseconds(ctx: RouteContext, name: string, defaultValue: number): number {
  const value = queryValues(ctx, name).at(-1);
  if (value === undefined) return defaultValue;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new HttpError('QUERY_INVALID', `The query parameter ${name} must be milliseconds.`, {
    fields: [{ field: name, value: shortened(value), reason: 'must be a whole number of milliseconds' }],
  });
}

/** The first of `words` where nothing is given. */
export function choice<const W extends string>(
  ctx: RouteContext,
  name: string,
  words: readonly [W, ...W[]],
  { anyCase = false } = {},
): W {
  const given = queryValues(ctx, name).at(-1);
  const value = anyCase ? given?.toLowerCase() : given;
  if (value === undefined) return words[0];
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const reason = `must be ${words.filter((word) => word !== '').join(' or ')}`;
  throw new HttpError('QUERY_INVALID', `The query parameter ${name} ${reason}.`, {
    fields: [{ field: name, value: shortened(value), reason }],
  });
}

export function queryValues(ctx: RouteContext, name: string): readonly string[] {
  const value = ctx.query[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** Whether the client likes text/plain better than JSON; without a word on it, JSON. */
export function prefersText(ctx: RouteContext): boolean {
  return ctx.accepts('json', 'text') === 'text';
}
