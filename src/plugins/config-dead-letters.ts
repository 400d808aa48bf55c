/** `errors.deadletterqueue.*`: where bad records go, of sources as well. */
import type { ConfigDefinition, ConfigIssue, ParsedConfig } from '../sdk/config.js';
import { parseConfig } from '../sdk/config-parse.js';
import { javaPattern } from '../sdk/java-pattern/java-pattern.js';
import type { RawConfig } from '../sdk/plugin.js';
import { topicNameProblem } from './topic-name.js';

export interface DeadLetterSettings {
  readonly topic: string;
  /** Of the topic, where it is made. */
  readonly queues: number;
  readonly contextHeaders: boolean;
}

const GROUP = 'Error Handling';
const TOPIC = 'errors.deadletterqueue.topic.name';
const QUEUES = 'errors.deadletterqueue.topic.partitions';
const HEADERS = 'errors.deadletterqueue.context.headers.enable';

export const DEAD_LETTERS: ConfigDefinition = [
  {
    name: TOPIC,
    type: 'STRING',
    defaultValue: '',
    importance: 'MEDIUM',
    documentation:
      'Topic that the bad records of this connector, a sink or a source, go to with errors.tolerance=all, before its offsets or positions pass them. It is created where it is not there. Not given: they are skipped.',
    group: GROUP,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Name',
    orderInGroup: 6,
    validator: (value) => (typeof value === 'string' && value !== '' ? topicNameProblem(value) : null),
  },
  {
    name: 'errors.deadletterqueue.topic.replication.factor',
    type: 'INT',
    defaultValue: '3',
    importance: 'MEDIUM',
    documentation:
      'Taken for the sake of existing configurations. How often a record is kept is a setting of the log: the embedded one keeps it once.',
    group: GROUP,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Replication Factor',
    orderInGroup: 7,
  },
  {
    name: HEADERS,
    aliases: ['errors.deadletterqueue.context.properties.enable'],
    type: 'BOOLEAN',
    defaultValue: 'false',
    importance: 'MEDIUM',
    documentation:
      "Give records in the dead-letter queue headers that say what was wrong and where, under Kafka Connect's names (`__connect.errors.…`).",
    group: GROUP,
    width: 'MEDIUM',
    displayName: 'Enable Error Context Headers',
    orderInGroup: 8,
  },
  {
    name: QUEUES,
    aliases: ['errors.deadletterqueue.write.queue.nums'],
    type: 'INT',
    defaultValue: '1',
    min: 1,
    max: 1000,
    importance: 'LOW',
    documentation: 'Queues of the dead-letter topic, where it is created.',
    group: GROUP,
    width: 'SHORT',
    displayName: 'Dead Letter Queue Topic Partitions',
    orderInGroup: 9,
  },
];

/** Null: there is none. Also where no record is skipped: that may change while the task runs. */
export function deadLettersOf(common: ParsedConfig): DeadLetterSettings | null {
  const topic = common.string(TOPIC);
  if (topic === '') return null;
  return { topic, queues: common.int(QUEUES), contextHeaders: common.boolean(HEADERS) };
}

/** A dead-letter queue that the connector reads would never be empty. */
export function deadLetterIssues(
  raw: RawConfig,
  reads: { readonly topics: readonly string[]; readonly regex: string | null },
  ownTopics: readonly string[],
): readonly ConfigIssue[] {
  const { config, issues } = parseConfig(DEAD_LETTERS, raw);
  const value = config.string(TOPIC);
  if (value === '' || issues.length > 0) return [];
  const issue = (reason: string): readonly ConfigIssue[] => [{ field: TOPIC, value, reason }];
  if (ownTopics.includes(value))
    return issue("is one of the cluster's own topics, which connectors neither write nor read: take another");
  if (reads.topics.includes(value)) return issue('is one of the topics that this sink reads: take another');
  if (reads.regex === null || !matches(reads.regex, value)) return [];
  return issue('is a topic that topics.regex of this sink matches: take another');
}

function matches(regex: string, topic: string): boolean {
  try {
    return javaPattern(regex).whole.test(topic);
  } catch {
    // What is wrong with the pattern has its own issue.
    return false;
  }
}
