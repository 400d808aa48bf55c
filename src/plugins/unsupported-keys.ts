import type { ConfigIssue } from '../sdk/config.js';
import type { RawConfig } from '../sdk/plugin.js';

interface Promised {
  readonly key: string;
  /** What of it is kept anyway; absent: nothing. */
  readonly kept?: RegExp;
  readonly reason: string;
}

const PROMISES: readonly Promised[] = [
  {
    key: 'consumer.override.auto.offset.reset',
    kept: /^earliest$/i,
    reason:
      'is not supported: a sink begins at the beginning of its topics, which is earliest; remove it, and give initial_offsets, as POST /import does',
  },
  {
    key: 'consumer.override.group.id',
    reason:
      'is not supported: the group of a sink is connect- and its name, and its offsets are there; remove it',
  },
  {
    key: 'consume.from.where',
    kept: /^CONSUME_FROM_FIRST_OFFSET$/i,
    reason:
      'is not supported: a sink begins at the beginning of its topics; remove it, and give initial_offsets, as POST /import does',
  },
  {
    key: 'task.group.id',
    reason:
      'is not supported: the group of a sink is connect- and its name, and its offsets are there; remove it',
  },
  {
    key: 'connector.direct.enable',
    kept: /^false$/i,
    reason: 'is not supported: records go through a topic, from a source to a sink; remove it',
  },
  {
    key: 'transaction.boundary',
    kept: /^poll$/i,
    reason:
      'is not supported: transactions of a source that are longer than a poll do not exist here; remove it',
  },
];

/** Promises of Kafka Connect that this version cannot keep must not be accepted in silence. */
export function unsupportedKeys(raw: RawConfig): readonly ConfigIssue[] {
  return PROMISES.flatMap(({ key, kept, reason }) => {
    const value = Object.hasOwn(raw, key) ? (raw[key] ?? '').trim() : '';
    return value === '' || kept?.test(value) === true ? [] : [{ field: key, value, reason }];
  });
}
