import { passwordsOf } from '../../plugins/configured-plugins.js';
import { commonDefinition, topicsRegex } from '../../plugins/config-common.js';
import { deadLettersOf, type DeadLetterSettings } from '../../plugins/config-dead-letters.js';
import { buildConverter, type LoadedConverter } from '../../plugins/converter-config.js';
import { buildTopicCreation, type TopicCreation } from '../../plugins/topic-creation.js';
import { partitionerOf, type Partitioner } from '../../plugins/config-partitioner.js';
import { findPlugin, type PluginCatalog } from '../../plugins/catalog.js';
import { fileAccess } from '../../plugins/file-access.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { loadPluginOf } from '../../plugins/load.js';
import type { TopicSettings } from '../../log/log.js';
import { parseConfigOrThrow } from '../../sdk/config-parse.js';
import type { ParsedConfig } from '../../sdk/config.js';
import type { FileAccess, RawConfig, SinkConnector, SourceConnector } from '../../sdk/plugin.js';
import { rememberSecrets } from '../kernel/known-secrets.js';
import { buildHotSettings, type HotSettings } from './hot-settings.js';
import type { LetterConverters } from './dead-letters/source-letters.js';
import type { TaskParams, TaskSettings } from './protocol.js';

interface Loaded extends HotSettings {
  /** The connector's own keys, parsed. */
  readonly config: ParsedConfig;
  /** Null: what is skipped goes nowhere. */
  readonly deadLetters: LoadedDeadLetters | null;
  readonly files: FileAccess;
}

export interface LoadedDeadLetters {
  readonly settings: DeadLetterSettings;
  /** Those of sources' letters. */
  readonly converters: LetterConverters;
}

export interface LoadedSource extends Loaded {
  readonly kind: 'source';
  readonly connector: SourceConnector;
  readonly topic: string | null;
  readonly topicCreation: TopicCreation;
  readonly partitioner: Partitioner;
  readonly exactlyOnce: ExactlyOnce;
  /** What is held of transactions until they end. */
  readonly transactionMaxBytes: number;
}

/** `exactly.once.support`. */
export type ExactlyOnce = 'requested' | 'required' | 'disabled';

export interface LoadedSink extends Loaded {
  readonly kind: 'sink';
  readonly connector: SinkConnector;
  readonly topics: readonly string[];
  readonly topicsRegex: RegExp | null;
  /** How often topics are looked for that `topicsRegex` matches. */
  readonly topicsRefreshMs: number;
  /** Records are shared out one by one among the tasks, instead of queues. */
  readonly shared: boolean;
  /** Deliveries of a shared record before it goes to the dead letters. */
  readonly maxAttempts: number;
}

/** Finds and loads all plugins of a task, in its own thread. */
export async function loadTask(params: TaskParams): Promise<LoadedSource | LoadedSink> {
  const { config: raw, settings } = params;
  const catalog = discoverPlugins(settings.pluginPaths);
  rememberSecrets(await passwordsOf(raw, catalog, settings));
  const connector = await loadConnector(raw, catalog);
  const common = parseConfigOrThrow(commonDefinition(connector.kind), raw);
  const loaded: Loaded = {
    config: parseConfigOrThrow(connector.config, raw),
    ...(await buildHotSettings(connector.kind, params, catalog)),
    deadLetters: await loadDeadLetters(common, catalog),
    files: fileAccess(settings.files, catalog),
  };
  if (connector.kind === 'source') {
    return {
      ...loaded,
      kind: 'source',
      connector,
      topic: common.stringOrNull('topic'),
      topicCreation: buildTopicCreation(raw),
      partitioner: partitionerOf(common),
      exactlyOnce: exactlyOnceOf(common.string('exactly.once.support')),
      transactionMaxBytes: common.int('transaction.max.bytes'),
    };
  }
  const regex = common.stringOrNull('topics.regex');
  return {
    ...loaded,
    kind: 'sink',
    connector,
    topics: common.has('topics') ? common.list('topics') : [],
    topicsRegex: regex === null ? null : topicsRegex(regex),
    topicsRefreshMs: common.int('topics.refresh.ms'),
    shared: common.string('consume.mode') === 'shared',
    maxAttempts: common.int('consume.max.attempts'),
  };
}

async function loadConnector(
  raw: RawConfig,
  catalog: PluginCatalog,
): Promise<SourceConnector | SinkConnector> {
  const name = raw['connector.class'] ?? raw['connector-class'] ?? '';
  const entry = findPlugin(catalog, ['source', 'sink'], name, raw['connector.plugin.version'] ?? null);
  return entry.type === 'source' ? loadPluginOf('source', entry) : loadPluginOf('sink', entry);
}

async function loadDeadLetters(
  common: ParsedConfig,
  catalog: PluginCatalog,
): Promise<LoadedDeadLetters | null> {
  const settings = deadLettersOf(common);
  if (settings === null) return null;
  const json = (part: 'key' | 'value' | 'header'): Promise<LoadedConverter> =>
    buildConverter({ [`${part}.converter.schemas.enable`]: 'true' }, part, 'JsonConverter', catalog);
  return {
    settings,
    converters: { key: await json('key'), value: await json('value'), header: await json('header') },
  };
}

function exactlyOnceOf(value: string): ExactlyOnce {
  return value === 'required' || value === 'disabled' ? value : 'requested';
}

/** Of a topic that does not exist yet, as the node is set; null: it must exist. */
export function newTopicSettings(settings: TaskSettings): TopicSettings | null {
  if (!settings.topicCreation) return null;
  return {
    queues: settings.topicQueues,
    retentionMs: settings.topicRetentionMs,
    retentionBytes: settings.topicRetentionBytes,
  };
}
