/** The keys that every connector has, beside those of its plugin. */
import type { ConfigDefinition, ConfigKey, ConfigValue } from '../sdk/config.js';
import { javaPattern, javaPatternProblem } from '../sdk/java-pattern/java-pattern.js';
import { MIN_OWN_MB } from '../core/task-heap.js';
import { CONSUMING } from './config-consuming.js';
import { DEAD_LETTERS } from './config-dead-letters.js';
import { ERROR_HANDLING } from './config-errors.js';
import { PARTITIONING } from './config-partitioner.js';
import { RESTARTS } from './config-restarts.js';
import { THROTTLE } from './config-throttle.js';
import { topicNameProblem } from './topic-name.js';
import { UNKNOWN_KEYS, UNKNOWN_KEYS_MODES } from '../core/parameters/unknown-keys-mode.js';

const COMMON = 'Common';
const BATCHES = 'Batches';

const CONNECTOR: ConfigDefinition = [
  {
    name: 'name',
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Name of the connector, unique in the cluster.',
    group: COMMON,
    width: 'MEDIUM',
    displayName: 'Connector name',
    validator: (value) => (value === '' ? 'must not be empty' : null),
    orderInGroup: 1,
  },
  {
    name: 'connector.class',
    aliases: ['connector-class'],
    type: 'STRING',
    importance: 'HIGH',
    documentation:
      'Class of the connector: its full name, or its simple name with or without "Connector" at the end.',
    group: COMMON,
    width: 'LONG',
    displayName: 'Connector class',
    orderInGroup: 2,
  },
  {
    name: 'connector.plugin.version',
    type: 'STRING',
    defaultValue: null,
    importance: 'MEDIUM',
    documentation: 'Version of the connector; the newest when not given.',
    group: COMMON,
    width: 'MEDIUM',
    displayName: 'Connector version',
    orderInGroup: 3,
  },
  {
    name: 'tasks.max',
    aliases: ['max.tasks'],
    type: 'INT',
    defaultValue: '1',
    min: 1,
    max: 10_000,
    importance: 'HIGH',
    documentation: 'The most tasks that may be used for this connector.',
    group: COMMON,
    width: 'SHORT',
    displayName: 'Tasks max',
    orderInGroup: 4,
  },
  {
    name: 'task.weight',
    type: 'INT',
    defaultValue: '1',
    min: 1,
    max: 1000,
    importance: 'LOW',
    documentation:
      'How heavy one task of this connector is beside others, when tasks are shared out among the nodes of a cluster.',
    group: COMMON,
    width: 'SHORT',
    displayName: 'Task weight',
    orderInGroup: 15,
  },
  {
    name: 'task.heap.max.mb',
    type: 'INT',
    defaultValue: null,
    min: MIN_OWN_MB,
    max: 65_536,
    importance: 'LOW',
    documentation:
      "JavaScript heap that the thread of one task may keep, in MB, instead of the node's `task.heap.max.mb`. More than the node's `task.heap.ceiling.mb` counts as that.",
    group: COMMON,
    width: 'SHORT',
    displayName: 'Task heap max (MB)',
    orderInGroup: 16,
  },
  {
    name: 'task.passivate.after.ms',
    type: 'INT',
    defaultValue: null,
    min: 0,
    max: 86_400_000,
    importance: 'LOW',
    documentation:
      "How long a task of this connector has nothing to do before it gives up its thread, in milliseconds, instead of the node's `task.passivate.after.ms`; 0: it keeps it.",
    group: COMMON,
    width: 'SHORT',
    displayName: 'Passivate after (ms)',
    orderInGroup: 17,
  },
  {
    name: 'tasks.max.enforce',
    type: 'BOOLEAN',
    defaultValue: 'true',
    importance: 'LOW',
    documentation: 'Refuse more tasks than tasks.max; false: take them, and log a warning.',
    group: COMMON,
    displayName: 'Enforce tasks max',
    orderInGroup: 5,
    width: 'SHORT',
  },
  {
    name: 'transforms',
    type: 'LIST',
    defaultValue: '',
    importance: 'LOW',
    documentation: 'Aliases of the transforms, in the order in which they are applied.',
    group: 'Transforms',
    width: 'LONG',
    displayName: 'Transforms',
    orderInGroup: 12,
  },
  {
    name: 'predicates',
    type: 'LIST',
    defaultValue: '',
    importance: 'LOW',
    documentation: 'Aliases of the predicates that transforms may use.',
    group: 'Predicates',
    width: 'LONG',
    displayName: 'Predicates',
    orderInGroup: 13,
  },
  {
    name: 'config.action.reload',
    type: 'STRING',
    defaultValue: 'restart',
    allowed: ['none', 'restart'],
    importance: 'LOW',
    documentation:
      'What a task does when a file that its configuration refers to (`${file:…}`, `${dir:…}`) says something else: it is started anew within seconds, or goes on with what it has.',
    group: COMMON,
    width: 'MEDIUM',
    displayName: 'Reload Action',
    orderInGroup: 14,
  },
];

const KEYS: ConfigDefinition = [
  {
    name: UNKNOWN_KEYS,
    type: 'STRING',
    defaultValue: null,
    allowed: UNKNOWN_KEYS_MODES,
    importance: 'LOW',
    documentation:
      "What becomes of keys that neither the connector nor its converters, transforms and predicates know. auto: one that looks like a misspelling is refused, any other is a warning, in the answer of validation, in the status and in the log; fail: all are refused; warn: all are warnings; ignore: nothing is said. Not given: the node's `config.unknown.keys`.",
    group: COMMON,
    width: 'SHORT',
    displayName: 'Unknown keys',
    orderInGroup: 18,
  },
];

function maxRecords(defaultValue: string, documentation: string, aliases: readonly string[] = []): ConfigKey {
  return {
    name: 'batch.max.records',
    ...(aliases.length > 0 && { aliases }),
    type: 'INT',
    defaultValue,
    min: 1,
    max: 1_000_000,
    importance: 'LOW',
    documentation,
    group: BATCHES,
    displayName: 'Records of a batch',
  };
}

const BATCHING: ConfigDefinition = [
  {
    name: 'batch.max.bytes',
    aliases: ['producer.override.batch.size'],
    type: 'INT',
    defaultValue: '1048576',
    min: 1024,
    max: 16 * 1024 * 1024,
    importance: 'LOW',
    documentation: 'A batch is appended when it has this many bytes.',
    group: BATCHES,
    displayName: 'Bytes of a batch',
  },
  {
    name: 'linger.ms',
    aliases: ['producer.override.linger.ms'],
    type: 'INT',
    defaultValue: '5',
    min: 0,
    max: 60_000,
    importance: 'LOW',
    documentation: 'How long a batch that is not full waits for more records, in milliseconds.',
    group: BATCHES,
    displayName: 'Linger',
  },
  {
    name: 'offset.flush.interval.ms',
    type: 'INT',
    defaultValue: null,
    min: 1,
    max: 3_600_000,
    importance: 'LOW',
    documentation:
      'How often a sink flushes and its offsets are committed, in milliseconds. Not given: as the node is set.',
    group: BATCHES,
    displayName: 'Flush interval',
  },
];

const SOURCE: ConfigDefinition = [
  maxRecords('10000', 'The most records of one append.'),
  {
    name: 'topic',
    aliases: ['connect.topicname'],
    type: 'STRING',
    defaultValue: null,
    importance: 'HIGH',
    documentation: "Where records go that name no topic themselves. None of the cluster's own topics.",
    group: COMMON,
    displayName: 'Topic',
    validator: (value) => badTopic(value === null ? [] : [value]),
  },
  {
    name: 'exactly.once.support',
    type: 'STRING',
    defaultValue: 'requested',
    allowed: ['requested', 'required', 'disabled'],
    anyCase: true,
    importance: 'MEDIUM',
    documentation:
      'On RocketMQ, where records and their positions are two appends: requested: after a crash, the records that are there without a position are found and not appended again. disabled: they are appended again. required: the task fails, since nothing can be promised there. On the embedded log all three are exactly once.',
    group: 'Exactly Once Support',
    width: 'SHORT',
    displayName: 'Exactly once support',
    orderInGroup: 2,
  },
  {
    name: 'transaction.max.bytes',
    type: 'INT',
    defaultValue: '8388608',
    min: 1024,
    max: 256 * 1024 * 1024,
    importance: 'LOW',
    documentation:
      'Of sources that mark transactions: so much of those that have not ended is held in memory by a task, and then appended together whatever batch.max.bytes and batch.max.records are. What is larger is appended in parts, and sinks may see it before its end. About twice as much is in memory while it is appended; a record counts 200 bytes besides its own.',
    group: BATCHES,
    displayName: 'Bytes of transactions',
  },
];

const SINK: ConfigDefinition = [
  // Few enough that the garbage collector finds them dead: with a whole append in one put it copies them.
  maxRecords('500', 'The most records of one delivery to the sink.', ['consumer.override.max.poll.records']),
  {
    name: 'topics',
    aliases: ['topicNames', 'connect.topicnames'],
    type: 'LIST',
    defaultValue: '',
    importance: 'HIGH',
    documentation:
      "Topics to read, separated by commas, none of the cluster's own. One that does not exist is waited for. Give these or topics.regex.",
    group: COMMON,
    width: 'LONG',
    displayName: 'Topics',
    validator: (value) => badTopic(Array.isArray(value) ? (value as readonly string[]) : []),
    orderInGroup: 4,
  },
  {
    name: 'topics.regex',
    type: 'STRING',
    defaultValue: null,
    importance: 'HIGH',
    documentation:
      "Regular expression, in Java's syntax, for the topics to read; it must match the whole name. One that is deleted is left, and read again when it comes again. Give this or topics.",
    group: COMMON,
    width: 'LONG',
    displayName: 'Topics regex',
    validator: (value) => (value === null ? null : javaPatternProblem(value)),
    orderInGroup: 4,
  },
  {
    name: 'topics.refresh.ms',
    aliases: ['consumer.override.metadata.max.age.ms'],
    type: 'INT',
    defaultValue: '30000',
    min: 100,
    max: 3_600_000,
    importance: 'LOW',
    documentation:
      'How often a sink looks for new queues of its topics, and for new topics that topics.regex matches, in milliseconds. With consume.mode=shared it looks when it starts only.',
    group: COMMON,
    displayName: 'Topics refresh interval',
  },
];

function badTopic(names: readonly ConfigValue[]): string | null {
  const problems = names.map((name) => (typeof name === 'string' ? topicNameProblem(name) : null));
  return problems.find((problem) => problem !== null) ?? null;
}

/** Of `topics.regex` and others: matches whole names. ConfigError BAD_REGEX. */
export function topicsRegex(pattern: string): RegExp {
  return javaPattern(pattern).whole;
}

/** Without the converters' keys, which are in converter-config.ts, and those of single transforms. */
export function commonDefinition(kind: 'source' | 'sink' | null): readonly ConfigKey[] {
  const own =
    kind === 'source' ? [...SOURCE, ...PARTITIONING] : kind === 'sink' ? [...SINK, ...CONSUMING] : [];
  return [
    ...CONNECTOR,
    ...KEYS,
    ...own,
    ...ERROR_HANDLING,
    ...DEAD_LETTERS,
    ...BATCHING,
    ...THROTTLE,
    ...RESTARTS,
  ];
}
