/** Which keys of a connector its tasks take over while they run; with any other change they start anew. */
import type { Config } from './config-entries.js';
import type { TaskSet } from '../model.js';

const HOT: ReadonlySet<string> = new Set([
  'transforms',
  'predicates',
  'key.converter',
  'value.converter',
  'header.converter',
  'errors.tolerance',
  'errors.retry.timeout',
  'errors.retry.delay.max.ms',
  'errors.log.enable',
  'errors.log.include.messages',
  'errors.breaker.failures',
  'errors.breaker.window',
  'batch.max.records',
  'batch.max.bytes',
  'linger.ms',
  'offset.flush.interval.ms',
  'throttle.records.per.second',
  'throttle.bytes.per.second',
  // Other names of those above.
  'producer.override.batch.size',
  'producer.override.linger.ms',
  'consumer.override.max.poll.records',
]);
const HOT_PREFIXES = [
  'transforms.',
  'predicates.',
  'key.converter.',
  'value.converter.',
  'header.converter.',
] as const;

/** Not where the connector itself defines a key of this name: then it is the connector's. */
export function isHotKey(key: string): boolean {
  return HOT.has(key) || HOT_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/** Of the transforms and predicates together. */
export function isChainKey(key: string): boolean {
  return (
    key === 'transforms' ||
    key === 'predicates' ||
    key.startsWith('transforms.') ||
    key.startsWith('predicates.')
  );
}

/** Those that only one has, or that are different; sorted. */
export function changedKeys(before: Config, after: Config): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => valueOf(before, key) !== valueOf(after, key)).sort();
}

/** What changed since the tasks were planned; null: something that they cannot take over. `present`: the version of the connector's config by now. */
export function changedSince(tasks: TaskSet, present: number): readonly string[] | null {
  return tasks.connectorVersion === present ? [] : (tasks.changed ?? null);
}

export interface NewPlan {
  /** Of the connector's config that it was made from, which is the present one. */
  readonly connectorVersion: number;
  readonly configs: readonly Config[];
}

/**
 * Whether the tasks of a plan may run on with what the new one says. `own`: keys that the connector itself defines.
 */
export function isTakenOver(
  tasks: TaskSet | null,
  { connectorVersion, configs }: NewPlan,
  own: readonly string[] = [],
): boolean {
  if (tasks === null || connectorVersion <= tasks.connectorVersion) return false;
  const changed = changedSince(tasks, connectorVersion);
  if (changed === null || tasks.configs.length !== configs.length) return false;
  const ofTasks = tasks.configs.flatMap((before, i) => changedKeys(before, configs[i] ?? {}));
  return [...changed, ...ofTasks].every((key) => isHotKey(key) && !own.includes(key));
}

function valueOf(config: Config, key: string): string | undefined {
  return Object.hasOwn(config, key) ? config[key] : undefined;
}
