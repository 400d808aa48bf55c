/** The keys of sources that say which queue of its topic a record goes to. */
import type { ConfigDefinition, ConfigIssue, ParsedConfig } from '../sdk/config.js';

const PARTITIONERS = ['key', 'kafka', 'rocketmq', 'field', 'round-robin', 'record'] as const;
const FIELD = 'partitioner.field';

export interface Partitioner {
  readonly by: (typeof PARTITIONERS)[number];
  /** Of the value; empty unless `by` is field. */
  readonly field: string;
}

export const PARTITIONING: ConfigDefinition = [
  {
    name: 'partitioner',
    type: 'STRING',
    defaultValue: 'key',
    allowed: PARTITIONERS,
    importance: 'MEDIUM',
    documentation:
      "Which queue a record goes to that names none itself. By its key, as it stands in the log, so that records of one key keep their order: key: a hash of our own; kafka: as Kafka's producer; rocketmq: as RocketMQ's SelectMessageQueueByHash. Without a key: in turn. field: by a field of the value, as kafka by its text. round-robin: in turn, whatever the key. record: as the record says; one that names none is a bad record. See docs/partitioning.md.",
    group: 'Common',
    width: 'SHORT',
    displayName: 'Partitioner',
  },
  {
    name: FIELD,
    type: 'STRING',
    defaultValue: '',
    importance: 'MEDIUM',
    documentation:
      'With partitioner=field: the field of the value, after the transforms; a dot leads into a field (`order.customer`). Records without it, or with null in it, go in turn.',
    group: 'Common',
    width: 'MEDIUM',
    displayName: 'Partitioner field',
  },
];

export function partitionerOf(common: ParsedConfig): Partitioner {
  const given = common.string('partitioner');
  return { by: PARTITIONERS.find((each) => each === given) ?? 'key', field: common.string(FIELD).trim() };
}

/** That one of the two keys is given without the other. */
export function partitionerIssues(common: ParsedConfig): readonly ConfigIssue[] {
  const { by, field } = partitionerOf(common);
  if ((by === 'field') === (field !== '')) return [];
  const reason =
    by === 'field'
      ? 'is needed with partitioner=field: it says which field'
      : 'has no effect without partitioner=field';
  return [{ field: FIELD, value: field === '' ? null : field, reason }];
}
