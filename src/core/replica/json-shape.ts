/** Checks of values that came out of JSON. A shape is a type guard; objects may hold more than it names. */
export type Shape<T> = (value: unknown) => value is T;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown): value is string {
  return typeof value === 'string';
}

export function flag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** A safe integer from 0: an offset, an epoch, a number of a task or queue. */
export function count(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function number(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Shape<T> {
  return (value): value is T => typeof value === 'string' && (allowed as readonly string[]).includes(value);
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || shape(value);
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || shape(value);
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(shape);
}

export function recordOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every(shape);
}

/** Own properties only: a field cannot come from a prototype. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries<Shape<unknown>>(fields);
  return (value): value is T =>
    isObject(value) &&
    entries.every(([name, shape]) => shape(Object.hasOwn(value, name) ? value[name] : undefined));
}

/** A union told apart by its field `type`. */
export function byType<E extends { readonly type: string }>(shapes: {
  readonly [K in E['type']]: Shape<Omit<Extract<E, { readonly type: K }>, 'type'>>;
}): Shape<E> {
  const known = new Map<string, Shape<unknown>>(Object.entries<Shape<unknown>>(shapes));
  return (value): value is E =>
    isObject(value) && typeof value['type'] === 'string' && known.get(value['type'])?.(value) === true;
}
