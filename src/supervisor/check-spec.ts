/** Child specs are checked where they come in: those of `startChild` were built by another thread. */
import type { ActorSpec, ChildSpec, SupervisorSpec } from '../actors/kernel/protocol.js';
import { SystemError } from './system-error.js';

type Check = (value: unknown) => string | null;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => (typeof value === 'string' && value !== '' ? null : 'a non-empty string');

function oneOf(...allowed: readonly string[]): Check {
  return (value) =>
    typeof value === 'string' && allowed.includes(value) ? null : `one of ${allowed.join(', ')}`;
}

function number(min: number, max: number): Check {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max ? null : `a number between ${min} and ${max}`;
}

function optional(check: Check): Check {
  return (value) => (value === undefined ? null : check(value));
}

function texts(what: string): Check {
  return (value) =>
    Array.isArray(value) && value.every((item) => text(item) === null) ? null : `a list of ${what}`;
}

const MAX_MS = 2 ** 31 - 1;
const duration = number(1, MAX_MS);
const INTENSITY: Fields = { restarts: number(0, 1_000_000), periodMs: duration };
const BACKOFF: Fields = { minMs: number(0, MAX_MS), maxMs: number(0, MAX_MS), jitter: number(0, 1) };
const HEAP: Fields = {
  maxOldMb: number(4, 1024 * 1024),
  maxYoungMb: optional(number(1, 1024)),
  softLimit: number(0.001, 1),
  maxExternalMb: optional(number(1, 1024 * 1024)),
};
const COMMON: Fields = {
  id: text,
  restart: oneOf('permanent', 'transient', 'temporary'),
  backoff: group(BACKOFF),
};
const ACTOR: Fields = {
  ...COMMON,
  kind: oneOf('actor'),
  module: text,
  thread: optional(text),
  peers: texts('actor ids'),
  loggers: optional(texts('names of loggers')),
  finalErrors: optional(texts('error codes')),
  intensity: optional(group(INTENSITY)),
  whenExhausted: oneOf('escalate', 'giveUp'),
  startDeadlineMs: duration,
  stopDeadlineMs: duration,
  beatDeadlineMs: duration,
  heap: group(HEAP),
};
const SUPERVISOR: Fields = {
  ...COMMON,
  kind: oneOf('supervisor'),
  strategy: oneOf('one_for_one', 'rest_for_one'),
  intensity: group(INTENSITY),
  children: (value) => (Array.isArray(value) ? null : 'a list of child specs'),
};

function group(fields: Fields): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return 'an object';
    const given: Partial<Record<string, unknown>> = { ...value };
    for (const [field, check] of Object.entries(fields)) {
      const expected = check(given[field]);
      if (expected !== null) return `an object whose ${field} is ${expected}`;
    }
    return null;
  };
}

/** Throws BAD_CHILD_SPEC, which names the field. */
export function checkActorSpec(value: unknown): asserts value is ActorSpec {
  check(value, ACTOR);
  const { id, peers } = value as ActorSpec;
  if (peers.includes(id)) throw new SystemError('BAD_CHILD_SPEC', `${id}: an actor cannot be its own peer`);
  if (new Set(peers).size < peers.length)
    throw new SystemError('BAD_CHILD_SPEC', `${id}: a peer is named twice`);
}

/** Throws BAD_CHILD_SPEC or DUPLICATE_CHILD for a tree that cannot work. */
export function checkTree(root: SupervisorSpec): void {
  const ids = new Set<string>();
  const visit = (spec: ChildSpec): void => {
    if (spec.kind === 'supervisor') check(spec, SUPERVISOR);
    else checkActorSpec(spec);
    if (ids.has(spec.id)) throw new SystemError('DUPLICATE_CHILD', `two children have the id ${spec.id}`);
    ids.add(spec.id);
    if (spec.kind === 'supervisor') spec.children.forEach(visit);
  };
  visit(root);
}

function check(value: unknown, fields: Fields): void {
  const expected = group(fields)(value);
  if (expected === null) return;
  const id = typeof value === 'object' && value !== null && 'id' in value ? String(value.id) : '(without id)';
  throw new SystemError('BAD_CHILD_SPEC', `child spec ${id}: expected ${expected}`);
}
