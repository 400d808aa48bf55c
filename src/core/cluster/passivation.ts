/** Tasks that have nothing to do give up their threads: what they leave, and what brings them back. */
import type { Passive } from '../model.js';
import { count, listOf, nullable, number, object, oneOf, text } from '../replica/json-shape.js';

/** What a task leaves that rests: by this it is woken. Between threads only, never durable. */
export type TaskRest = SinkRest | SourceRest;

export interface SinkRest {
  readonly kind: 'sink';
  /** Milliseconds since 1970. */
  readonly since: number;
  /** It has had, and committed, everything before these offsets. */
  readonly queues: readonly QueuePlace[];
  readonly topics: RestingTopics;
}

export interface SourceRest {
  readonly kind: 'source';
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds since 1970; null: nothing but a signal. */
  readonly wakeAt: number | null;
}

export interface QueuePlace {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
}

/** As its status shows it. */
export function passiveOf(rest: TaskRest): Passive {
  const { since } = rest;
  return rest.kind === 'source' && rest.wakeAt !== null ? { since, until: rest.wakeAt } : { since };
}

/** What a sink reads, and what of it there was. */
export interface RestingTopics {
  readonly named: readonly string[];
  readonly pattern: RegExp | null;
  /** How often they are looked at. */
  readonly refreshMs: number;
  readonly known: readonly KnownTopic[];
}

export interface KnownTopic {
  readonly name: string;
  readonly queues: number;
  readonly id: string | null;
}

/** With more tasks than this alive on a node, those that are idle rest sooner. */
const MANY_TASKS = 32;
const SOON_MS = 1000;

/**
 * How long a task that is started now is idle before it rests; 0: it never does. `alive`: threads of tasks on the node;
 * `restedMs`: how long it has rested until now, Infinity where it did not run before. A thousand sinks that are made, moved or
 * woken at once would else all hold a thread until the first of them rests. One that has rested for less than it is to be idle
 * would be started over and over.
 */
export function passivateAfterMs(configuredMs: number, alive: number, restedMs: number): number {
  return alive > MANY_TASKS && restedMs > configuredMs ? Math.min(configuredMs, SOON_MS) : configuredMs;
}

/**
 * Whether a sink has other queues to read, as far as these topics say; one that is gone its reads notice. `isClosed`: the
 * cluster's own.
 */
export function hasNewQueues(
  { named, pattern, known }: RestingTopics,
  present: readonly KnownTopic[],
  isClosed: (topic: string) => boolean,
): boolean {
  const names = new Set(named);
  const before = new Map(known.map((topic) => [topic.name, topic]));
  return present.some(({ name, queues, id }) => {
    const isRead = names.has(name) || (pattern?.test(name) === true && !isClosed(name));
    const knew = before.get(name);
    return isRead && (knew === undefined || knew.queues < queues || knew.id !== id);
  });
}

const isSinkRest = object<SinkRest>({
  kind: oneOf('sink'),
  since: number,
  queues: listOf(object<QueuePlace>({ topic: text, queue: count, offset: count })),
  topics: object<RestingTopics>({
    named: listOf(text),
    pattern: nullable((value): value is RegExp => value instanceof RegExp),
    refreshMs: number,
    known: listOf(object<KnownTopic>({ name: text, queues: count, id: nullable(text) })),
  }),
});

const isSourceRest = object<SourceRest>({ kind: oneOf('source'), since: number, wakeAt: nullable(number) });

/** As it comes from a task's thread; null: it is none. */
export function parseTaskRest(value: unknown): TaskRest | null {
  return isSinkRest(value) || isSourceRest(value) ? value : null;
}
