/** Errors as plain data: structured clone keeps no class, and drops `code`. */
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

/** Whatever was thrown, in a form that can always be posted. */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: textOf(thrown), code: null, stack: null, retriable: false };
  }
  const { name, message, stack } = thrown;
  const retriable = name === 'RetriableError' || ('retriable' in thrown && thrown.retriable === true);
  return {
    name: textOf(name),
    message: textOf(message),
    code: codeOf(thrown),
    stack: stack === undefined ? null : textOf(stack) + causes(thrown),
    retriable,
    ...(isFinal(thrown) ? { final: true } : {}),
  };
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
function textOf(value: unknown): string {
  return hideSecrets(typeof value === 'string' ? value : describe(value));
}

const MAX_CAUSES = 5;

function causes(error: Error): string {
  let text = '';
  let { cause } = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    text += `\nCaused by: ${textOf(cause.stack)}`;
    cause = cause.cause;
  }
  return text;
}

/** A remote error that is passed on keeps the code that it was thrown with. */
function codeOf(thrown: Error): string | null {
  if (thrown instanceof ActorError && thrown.remoteCode !== null) return thrown.remoteCode;
  const code: unknown = 'code' in thrown ? thrown.code : null;
  return typeof code === 'string' || typeof code === 'number' ? String(code) : null;
}

function describe(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return `not an Error: ${JSON.stringify(thrown)}`;
  } catch {
    return 'not an Error, and without a text';
  }
}
