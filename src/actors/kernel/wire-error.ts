/** Errors as plain data: structured clone keeps no class, and drops `code`. */
import { cutText } from '../../core/bounded-text.js';
import { isFinal } from '../../sdk/errors.js';
import { ActorError } from './errors.js';
import { hideSecrets } from './known-secrets.js';

export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
  readonly retriable: boolean;
  /** Another start would only come to it again. */
  readonly final?: boolean;
}

/** Characters. An error goes into statuses, logs and answers, and a plugin may have put its whole input into it. */
const MAX_NAME = 200;
const MAX_MESSAGE = 4000;
const MAX_STACK = 16_000;
/** Of one cause, so that the last of them is seen, too. */
const MAX_CAUSE = 4000;

/** Whatever was thrown, in a form that can always be posted, of a bounded size. */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: textOf(thrown, MAX_MESSAGE), code: null, stack: null, retriable: false };
  }
  const name = read(thrown, 'name');
  const stack = read(thrown, 'stack');
  return {
    name: textOf(name, MAX_NAME),
    message: textOf(read(thrown, 'message'), MAX_MESSAGE),
    code: codeOf(thrown),
    stack: stack === undefined ? null : textOf(stack, MAX_STACK) + causes(thrown),
    retriable: name === 'RetriableError' || read(thrown, 'retriable') === true,
    ...(isFinal(thrown) ? { final: true } : {}),
  };
}

/** A plugin's error may have anything for a property, also one that throws. */
function read(
  error: Error,
  property: 'name' | 'message' | 'stack' | 'code' | 'cause' | 'retriable',
): unknown {
  try {
    const value: unknown = Reflect.get(error, property);
    return value;
  } catch {
    return undefined;
  }
}

/** The remote error as an Error to read, with the remote stack; its class is not restored. */
export function fromWireError(wire: WireError): Error & { readonly code: string | null } {
  const error = new Error(wire.message);
  error.name = wire.name;
  if (wire.stack !== null) error.stack = wire.stack;
  return Object.assign(error, { code: wire.code, retriable: wire.retriable });
}

export function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false;
  const wire: Partial<Record<keyof WireError, unknown>> = value;
  return (
    typeof wire.name === 'string' &&
    typeof wire.message === 'string' &&
    (wire.code === null || typeof wire.code === 'string') &&
    (wire.stack === null || typeof wire.stack === 'string') &&
    typeof wire.retriable === 'boolean' &&
    (wire.final === undefined || typeof wire.final === 'boolean')
  );
}

/** Typed as strings, but a plugin's error may have been given anything. */
function textOf(value: unknown, max: number): string {
  return hideSecrets(typeof value === 'string' ? value : describe(value, max), max);
}

const MAX_CAUSES = 5;

function causes(error: Error): string {
  let text = '';
  let cause = read(error, 'cause');
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    text += `\nCaused by: ${textOf(read(cause, 'stack'), MAX_CAUSE)}`;
    cause = read(cause, 'cause');
  }
  return text;
}

/** A remote error that is passed on keeps the code that it was thrown with. */
function codeOf(thrown: Error): string | null {
  if (thrown instanceof ActorError && thrown.remoteCode !== null) return thrown.remoteCode;
  const code = read(thrown, 'code');
  return typeof code === 'string' || typeof code === 'number' ? cutText(String(code), MAX_NAME) : null;
}

function describe(thrown: unknown, max: number): string {
  try {
    return `not an Error: ${boundedJson(thrown, max)}`;
  } catch {
    return 'not an Error, and without a text';
  }
}

/** As JSON, without the rest when so many characters are taken up. */
function boundedJson(value: unknown, max: number): string {
  let left = max;
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (left <= 0) return undefined;
    if (Array.isArray(inner)) return inner.slice(0, max / 8) as unknown[];
    const shown = typeof inner === 'string' ? hideSecrets(inner, max) : inner;
    left -= typeof shown === 'string' ? shown.length + 1 : 8;
    return shown;
  });
}
