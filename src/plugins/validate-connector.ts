import { parseConfig } from '../sdk/config-parse.js';
import type { ConfigDefinition, ConfigIssue, ConfigKey } from '../sdk/config.js';
import { ConfigError } from '../sdk/errors.js';
import type {
  ConnectorContext,
  FileAccess,
  Plugin,
  RawConfig,
  SinkConnector,
  SourceConnector,
} from '../sdk/plugin.js';
import { partitionerIssues } from './config-partitioner.js';
import { fileAccess } from './file-access.js';
import { configInfos, type ConfigInfos, type DryRun } from './config-infos.js';
import { isPassword, own } from './config-plugins.js';
import { commonDefinition } from './config-common.js';
import { deadLetterIssues } from './config-dead-letters.js';
import { errorHandlingIssues } from './config-errors.js';
import { configureConverter, DEFAULT_CONVERTERS } from './converter-config.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { loadPlugin } from './load.js';
import { checkIssues } from './plugin-returns.js';
import { configureTopicCreation } from './topic-creation.js';
import { configureTransforms } from './transform-chain.js';
import { knownKeys } from './known-keys.js';
import { unknownKeys } from './unknown-keys.js';
import type { UnknownKeysMode } from '../core/parameters/unknown-keys-mode.js';
import { unsupportedKeys } from './unsupported-keys.js';

export interface ValidateOptions {
  /** The node's converters, where the connector names none. */
  readonly keyConverter?: string;
  readonly valueConverter?: string;
  readonly headerConverter?: string;
  /** Found before. */
  readonly issues?: readonly ConfigIssue[];
  /** Whether the node's log has groups whose members share topics record by record; default false. */
  readonly sharing?: boolean;
  /** Which files connectors may open. Default: all but those of plugins. */
  readonly files?: FileAccess;
  /** The cluster's topics, which no connector may read or write; default none. */
  readonly ownTopics?: readonly string[];
  /** What becomes of keys that nobody knows; default auto. */
  readonly unknownKeys?: UnknownKeysMode;
  /** For a dry run, in which the connector connects as its tasks would. Default: none. */
  readonly dryRun?: ConnectorContext;
}

/**
 * Checks a connector's whole configuration: the common keys, its converters, transforms and predicates, and the
 * plugin's own. All errors at once, in Kafka Connect's ConfigInfos; it does not throw for a bad configuration.
 * Runs plugin code, which may take its time or never end: call it in a pool, under a deadline.
 */
export async function validateConnector(
  raw: RawConfig,
  catalog: PluginCatalog,
  options: ValidateOptions = {},
): Promise<ConfigInfos> {
  const issues: ConfigIssue[] = [...(options.issues ?? [])];
  const className = own(raw, 'connector.class') ?? own(raw, 'connector-class') ?? '';
  const plugin = await loadConnector(raw, className.trim(), catalog, issues);
  const common = commonDefinition(plugin?.kind ?? null);
  const definition: ConfigKey[] = [...common];
  issues.push(...parseConfig(common, raw).issues, ...errorHandlingIssues(raw));
  if (plugin?.kind === 'sink')
    issues.push(...topicIssues(raw), ...sharingIssues(plugin, raw, options.sharing === true));
  if (plugin?.kind === 'source') issues.push(...partitionerIssues(parseConfig(common, raw).config));
  issues.push(...ownTopicIssues(plugin?.kind ?? null, raw, options.ownTopics ?? []));
  issues.push(...deadLetterIssues(raw, readBy(plugin, raw), options.ownTopics ?? []));
  for (const configured of [
    await configureConverter(raw, 'key', options.keyConverter ?? DEFAULT_CONVERTERS.key, catalog),
    await configureConverter(raw, 'value', options.valueConverter ?? DEFAULT_CONVERTERS.value, catalog),
    await configureConverter(raw, 'header', options.headerConverter ?? DEFAULT_CONVERTERS.header, catalog),
    await configureTransforms(raw, catalog),
    ...(plugin?.kind === 'source' ? [configureTopicCreation(raw)] : []),
  ]) {
    definition.push(...configured.definition);
    issues.push(...configured.issues);
    if (configured.made !== null && 'close' in configured.made) await configured.made.close();
  }
  if (plugin !== null) {
    definition.push(...plugin.config);
    issues.push(
      ...(await ownIssues(plugin, raw, options.files ?? fileAccess({ allowed: [], closed: [] }, catalog))),
    );
  }
  const unknown = unknownKeys(raw, await knownKeys(raw, catalog, options), options.unknownKeys ?? 'auto');
  issues.push(...unsupportedKeys(raw), ...unknown.issues);
  const told = withoutEchoes(issues, options.issues, definition);
  const answer = (found: readonly ConfigIssue[], dryRun: DryRun | null): ConfigInfos =>
    configInfos({
      name: className.trim(),
      definition,
      raw,
      issues: found,
      warnings: unknown.warnings,
      dryRun,
    });
  if (options.dryRun === undefined) return answer(told, null);
  if (plugin === null || told.length > 0) return answer(told, 'SKIPPED');
  if (plugin.connect === undefined) return answer(told, 'NOT_SUPPORTED');
  const met = await connectIssues(plugin, raw, options.dryRun);
  return answer(met, met.length > 0 ? 'FAILED' : 'PASSED');
}

/** What else is wrong with a value whose reference could not be resolved is wrong with the reference's text alone. */
function withoutEchoes(
  issues: readonly ConfigIssue[],
  known: readonly ConfigIssue[] = [],
  definition: readonly ConfigKey[],
): readonly ConfigIssue[] {
  const nameOf = (field: string): string =>
    definition.find(({ name, aliases }) => name === field || aliases?.includes(field) === true)?.name ??
    field;
  const unresolved = new Set(known.map(({ field }) => nameOf(field)));
  return issues.filter((issue) => known.includes(issue) || !unresolved.has(nameOf(issue.field)));
}

type Connector = SourceConnector | SinkConnector;

async function loadConnector(
  raw: RawConfig,
  className: string,
  catalog: PluginCatalog,
  issues: ConfigIssue[],
): Promise<Connector | null> {
  // Missing altogether is the common definition's to say.
  if (className === '' && own(raw, 'connector.class') === null) return null;
  try {
    const version = own(raw, 'connector.plugin.version')?.trim() ?? null;
    const found: Plugin = await loadPlugin(findPlugin(catalog, ['source', 'sink'], className, version));
    return found.type === 'source' || found.type === 'sink' ? found.plugin : null;
  } catch (error) {
    const ofVersion = error instanceof ConfigError && error.code === 'PLUGIN_VERSION_NOT_FOUND';
    const field = ofVersion ? 'connector.plugin.version' : 'connector.class';
    issues.push({ field, value: own(raw, field) ?? className, reason: messageOf(error) });
    return null;
  }
}

function topicIssues(raw: RawConfig): readonly ConfigIssue[] {
  const { config } = parseConfig(commonDefinition('sink'), raw);
  const topics = config.list('topics').length > 0;
  const regex = (config.stringOrNull('topics.regex') ?? '') !== '';
  if (topics !== regex) return [];
  const reason = topics
    ? 'and topics exclude each other: give one of them'
    : 'or topics.regex must be given: it says what to read';
  // What is given but wrong has its own issue.
  if (!topics && (own(raw, 'topics') ?? own(raw, 'topics.regex') ?? '') !== '') return [];
  return [
    {
      field: topics ? 'topics.regex' : 'topics',
      value: own(raw, topics ? 'topics.regex' : 'topics'),
      reason,
    },
  ];
}

function readBy(plugin: Connector | null, raw: RawConfig): Parameters<typeof deadLetterIssues>[1] {
  if (plugin?.kind !== 'sink') return { topics: [], regex: null };
  const { config } = parseConfig(commonDefinition('sink'), raw);
  return { topics: config.list('topics'), regex: config.stringOrNull('topics.regex') };
}

function ownTopicIssues(
  kind: Connector['kind'] | null,
  raw: RawConfig,
  ownTopics: readonly string[],
): readonly ConfigIssue[] {
  if (kind === null) return [];
  const { config } = parseConfig(commonDefinition(kind), raw);
  const field = kind === 'source' ? 'topic' : 'topics';
  const named = kind === 'source' ? [config.stringOrNull('topic') ?? ''] : config.list('topics');
  const reason = "is one of the cluster's own topics, which connectors neither write nor read: take another";
  return named.filter((name) => ownTopics.includes(name)).map((value) => ({ field, value, reason }));
}

function sharingIssues(plugin: SinkConnector, raw: RawConfig, sharing: boolean): readonly ConfigIssue[] {
  const field = 'consume.mode';
  const value = own(raw, field);
  if (value?.trim() !== 'shared') return [];
  if (!sharing) {
    const reason =
      'shared needs RocketMQ with its proxy, and this node has none: give the node namesrvAddr and rocketmq.endpoints, or take queue';
    return [{ field, value, reason }];
  }
  if (plugin.shareable === true) return [];
  const reason =
    'this connector needs the order or the offsets of its records, which shared ones do not have: take queue';
  return [{ field, value, reason }];
}

/** The plugin's field checks, and only when these pass its own further ones. */
async function ownIssues(
  plugin: Connector,
  raw: RawConfig,
  files: FileAccess,
): Promise<readonly ConfigIssue[]> {
  const { config, issues } = parseConfig(plugin.config, raw);
  if (issues.length > 0 || plugin.validate === undefined) return issues;
  return askedOf(plugin, raw, 'validate', () => plugin.validate?.(config, raw, { files }));
}

/** What the connector's `connect` finds. */
export async function connectIssues(
  plugin: Connector,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<readonly ConfigIssue[]> {
  const { config } = parseConfig(plugin.config, raw);
  return askedOf(plugin, raw, 'connect', () => plugin.connect?.(context, config, raw));
}

/** What the connector answers to the call, or its failure, as issues that quote no password. */
async function askedOf(
  plugin: Connector,
  raw: RawConfig,
  call: 'validate' | 'connect',
  ask: () => unknown,
): Promise<readonly ConfigIssue[]> {
  try {
    const issues = checkIssues(own(raw, 'connector.class') ?? '', call, await ask());
    return hidePasswords(plugin.config, issues);
  } catch (error) {
    const field = error instanceof ConfigError && error.field !== null ? error.field : 'connector.class';
    const reason = `${call === 'validate' ? "the connector's check failed" : 'the connector cannot connect'}: ${messageOf(error)}`;
    return hidePasswords(plugin.config, [{ field, value: own(raw, field), reason }]);
  }
}

function hidePasswords(definition: ConfigDefinition, issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  return issues.map((issue) =>
    isPassword(definition, issue.field) && issue.value !== null ? { ...issue, value: '[hidden]' } : issue,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
