/**
 * How a source's topics are created, in Kafka Connect's keys: `topic.creation.groups=a,b`, for each group
 * `topic.creation.a.include` and what its topics have, and `topic.creation.default.…` for the rest.
 */
import { parseConfig, REASON_REQUIRED } from '../sdk/config-parse.js';
import type { ConfigDefinition, ConfigIssue, ConfigKey, ConfigValue, ParsedConfig } from '../sdk/config.js';
import { javaPatternProblem } from '../sdk/java-pattern/java-pattern.js';
import type { RawConfig } from '../sdk/plugin.js';
import { topicsRegex } from './config-common.js';
import { configError, own, type Configured } from './config-plugins.js';

export interface NewTopicSettings {
  readonly queues: number;
  /** null: without a limit. */
  readonly retentionMs: number | null;
  readonly retentionBytes: number | null;
}

/** The settings of a topic that is created. `node`: where the connector says nothing. */
export type TopicCreation = (topic: string, node: NewTopicSettings) => NewTopicSettings;

interface Group {
  readonly include: readonly RegExp[];
  readonly exclude: readonly RegExp[];
  readonly own: Partial<NewTopicSettings>;
}

const PREFIX = 'topic.creation.';
const GROUPS = `${PREFIX}groups`;
const DEFAULT = 'default';
const SECTION = 'Topic Creation';

export const TOPIC_CREATION_GROUPS: ConfigKey = {
  name: GROUPS,
  type: 'LIST',
  defaultValue: '',
  importance: 'LOW',
  documentation:
    'Groups of topics that are created with settings of their own. A topic is of the first that includes it.',
  group: SECTION,
  width: 'LONG',
  displayName: 'Topic Creation Groups',
  orderInGroup: 1,
};

/** Throws one ConfigError that names all keys with issues. */
export function buildTopicCreation(raw: RawConfig): TopicCreation {
  const { made, issues } = configureTopicCreation(raw);
  if (made === null) throw configError(issues);
  return made;
}

export function configureTopicCreation(raw: RawConfig): Configured<TopicCreation> {
  const aliases = aliasesOf(raw);
  const definition = topicCreationKeys(raw);
  const { config, issues } = parseConfig(definition, raw);
  const all = [...issues, ...repeated(raw), ...unknownKeys(raw, definition)];
  return all.length > 0
    ? { made: null, issues: all, definition }
    : { made: creation(config, aliases), issues: all, definition };
}

/** Those of the groups that the configuration names, too. */
export function topicCreationKeys(raw: RawConfig): ConfigDefinition {
  return [
    TOPIC_CREATION_GROUPS,
    ...aliasesOf(raw).flatMap((alias) => [...patternKeys(alias), ...settingKeys(alias)]),
    ...settingKeys(DEFAULT),
  ];
}

function creation(config: ParsedConfig, aliases: readonly string[]): TopicCreation {
  const fallback = settingsOf(config, DEFAULT);
  const groups = aliases.map((alias): Group => ({
    include: config.list(`${PREFIX}${alias}.include`).map((pattern) => topicsRegex(pattern)),
    exclude: config.list(`${PREFIX}${alias}.exclude`).map((pattern) => topicsRegex(pattern)),
    own: settingsOf(config, alias),
  }));
  return (topic, node) => {
    const group = groups.find(({ include, exclude }) => matches(include, topic) && !matches(exclude, topic));
    return { ...node, ...fallback, ...group?.own };
  };
}

function settingsOf(config: ParsedConfig, alias: string): Partial<NewTopicSettings> {
  const given = (key: string): number | null =>
    config.has(`${PREFIX}${alias}.${key}`) ? config.int(`${PREFIX}${alias}.${key}`) : null;
  const limit = (value: number): number | null => (value === -1 ? null : value);
  const [queues, ms, bytes] = [given('partitions'), given('retention.ms'), given('retention.bytes')];
  return {
    ...(queues !== null && queues !== -1 && { queues }),
    ...(ms !== null && { retentionMs: limit(ms) }),
    ...(bytes !== null && { retentionBytes: limit(bytes) }),
  };
}

function aliasesOf(raw: RawConfig): readonly string[] {
  const { config } = parseConfig([TOPIC_CREATION_GROUPS], raw);
  // That one is there without being named.
  return [...new Set(config.list(GROUPS))].filter((alias) => alias !== '' && alias !== DEFAULT);
}

function repeated(raw: RawConfig): readonly ConfigIssue[] {
  const named = parseConfig([TOPIC_CREATION_GROUPS], raw).config.list(GROUPS);
  const twice = named.find((alias, i) => named.indexOf(alias) !== i);
  if (twice === undefined) return [];
  return [{ field: GROUPS, value: own(raw, GROUPS), reason: `the group "${twice}" stands twice` }];
}

/** Kafka Connect takes any setting of a topic here. One that would do nothing is refused, not ignored. */
function unknownKeys(raw: RawConfig, definition: ConfigDefinition): readonly ConfigIssue[] {
  const known = new Set(definition.map(({ name }) => name));
  return Object.keys(raw)
    .filter((key) => key.startsWith(PREFIX) && !known.has(key))
    .map((field) => ({
      field,
      value: own(raw, field),
      reason: unknownReason(field.slice(PREFIX.length), known),
    }));
}

function unknownReason(rest: string, known: ReadonlySet<string>): string {
  const alias = rest.split('.', 1)[0] ?? '';
  return known.has(`${PREFIX}${alias}.partitions`)
    ? 'is no setting of topics here: there are partitions, retention.ms and retention.bytes'
    : `names no group of ${GROUPS}: add it there, or remove this`;
}

function patternKeys(alias: string): readonly ConfigKey[] {
  const patterns: Omit<ConfigKey, 'name' | 'documentation'> = {
    type: 'LIST',
    importance: 'LOW',
    group: SECTION,
    validator: badPattern,
  };
  return [
    {
      ...patterns,
      name: `${PREFIX}${alias}.include`,
      documentation:
        'Regular expressions for the topics of the group, separated by commas; each must match the whole name.',
      validator: (value) =>
        Array.isArray(value) && value.length === 0 ? REASON_REQUIRED : badPattern(value),
    },
    {
      ...patterns,
      name: `${PREFIX}${alias}.exclude`,
      defaultValue: '',
      documentation:
        'Regular expressions for topics that are not of the group, though `include` matches them.',
    },
  ];
}

function settingKeys(alias: string): readonly ConfigKey[] {
  const otherwise = `Not given: as ${alias === DEFAULT ? 'the node is set' : 'the default group says'}.`;
  const setting = (name: string, documentation: string): ConfigKey => ({
    name: `${PREFIX}${alias}.${name}`,
    type: 'LONG',
    max: Number.MAX_SAFE_INTEGER,
    defaultValue: null,
    min: -1,
    importance: 'LOW',
    documentation,
    group: SECTION,
    validator: (value) => (value === 0 ? 'must not be 0' : null),
  });
  const limit = '-1: never. On RocketMQ the brokers decide.';
  return [
    {
      ...setting('partitions', `Queues of a topic that is created; -1: as if not given. ${otherwise}`),
      max: 1024,
    },
    setting('retention.ms', `Age at which its records may be deleted; ${limit} ${otherwise}`),
    setting(
      'retention.bytes',
      `Size of a queue beyond which its oldest records may be deleted; ${limit} ${otherwise}`,
    ),
    setting(
      'replication.factor',
      'Taken, as Kafka Connect asks for it, and without effect: how many copies there are the brokers decide.',
    ),
  ];
}

function badPattern(value: ConfigValue): string | null {
  const patterns: readonly unknown[] = Array.isArray(value) ? value : [];
  return patterns.map(javaPatternProblem).find((problem) => problem !== null) ?? null;
}

function matches(patterns: readonly RegExp[], topic: string): boolean {
  return patterns.some((pattern) => pattern.test(topic));
}
