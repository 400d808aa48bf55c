import type { Log } from '../../log/log.js';
import { topicsRegex } from '../../plugins/config-common.js';
import { ConnectError } from '../../sdk/errors.js';
import type { ConnectorConfigs } from './connector-configs.js';
import type { ConnectorOffsets } from './connector-offsets.js';
import type { PlanningPool } from './planning-pool.js';
import type { PluginCatalogs } from './plugin-catalogs.js';
import type { ConfigSyncProtocol, PreviewReply, PreviewRequest, WindowFrom } from './protocol.js';
import type { TopicRecords } from './topic-records.js';
import type { Run } from './topic-window.js';

type Config = Readonly<Record<string, string>>;

/** The limit is shared out among them. */
const MAX_TOPICS = 20;
/** Of all topics together; that of one goes beyond it at most. */
const MAX_BYTES = 1024 * 1024;
/** In their order, the first that is there counts: as sinks name their topics. */
const TOPIC_KEYS = ['topics', 'topicNames', 'connect.topicnames', 'connect.topicname'];

interface Subject {
  readonly name: string;
  readonly config: Config;
  /** It is not there yet. */
  readonly isNew: boolean;
  readonly task: Config | null;
}

interface Parts {
  readonly log: Pick<Log, 'listTopics'>;
  readonly ownTopics: readonly string[];
  readonly configs: Pick<ConnectorConfigs, 'get'>;
  readonly offsets: Pick<ConnectorOffsets, 'read'>;
  readonly records: Pick<TopicRecords, 'window'>;
  readonly plugins: Pick<PluginCatalogs, 'kindOf'>;
  readonly pool: Pick<PlanningPool, 'run'>;
}

/** What connectors would move, or be given, with nothing written and no position or offset moved. */
export class Previews {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async of(
    { of, limit, from }: ConfigSyncProtocol['ask']['preview']['request'],
    signal: AbortSignal,
  ): Promise<PreviewReply> {
    const subject = this.#subject(of);
    const type = this.#parts.plugins.kindOf(subject.config);
    if (type === 'sink') return this.#ofSink(subject, { limit, from }, signal);
    const { isNew, ...job } = subject;
    const found = await this.#parts.pool.run(
      { kind: 'preview', ...job, withPositions: !isNew && from !== 'earliest', limit },
      { signal },
    );
    return { type, ...found };
  }

  #subject(of: { readonly connector: string } | { readonly config: Config }): Subject {
    if ('config' in of)
      return { name: of.config['name'] ?? 'preview', config: of.config, isNew: true, task: null };
    const entry = this.#parts.configs.get(of.connector);
    if (entry === null)
      throw new ConnectError(`Connector ${of.connector} not found`, { code: 'CONNECTOR_NOT_FOUND' });
    const { name, config, version, tasks } = entry;
    // Tasks of an older configuration know nothing of this one.
    const task = tasks?.connectorVersion === version ? (tasks.configs[0] ?? null) : null;
    return { name, config, isNew: false, task };
  }

  async #ofSink(
    { name, config, isNew }: Subject,
    { limit, from }: PreviewRequest,
    signal: AbortSignal,
  ): Promise<PreviewReply> {
    const names = await this.#topicsOf(config);
    const { offsets } = isNew || from !== 'next' ? { offsets: [] } : await this.#parts.offsets.read(name);
    const share = Math.max(1, Math.floor(limit / names.length));
    const runs: Run[] = [];
    const topics: NonNullable<PreviewReply['topics']>[number][] = [];
    let bytes = 0;
    let stopped: PreviewReply['stopped'] = null;
    for (const topic of names) {
      const committed = new Map(
        offsets.filter((each) => each.topic === topic).map(({ queue, offset }) => [queue, offset]),
      );
      const start: WindowFrom = from === 'next' ? { kind: 'offsets', offsets: committed } : { kind: from };
      const window = await this.#parts.records.window(
        { topic, queue: null, from: start, limit: share },
        signal,
      );
      runs.push(...window.runs);
      topics.push({ topic, queues: window.queues });
      bytes += window.runs.reduce((sum, run) => sum + run.bytes.byteLength, 0);
      stopped = window.stopped ?? (bytes > MAX_BYTES ? 'BYTES' : null);
      if (stopped !== null) break;
    }
    const records = await this.#parts.pool.run(
      { kind: 'records', name, config, runs, transform: true },
      { signal },
    );
    return { type: 'sink', records, stopped, topics };
  }

  async #topicsOf(config: Config): Promise<readonly string[]> {
    const listed = TOPIC_KEYS.map((key) => config[key]).find((value) => value !== undefined && value !== '');
    const named = (listed ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const names = named.length > 0 ? named : await this.#matching(config['topics.regex'] ?? '');
    if (names.length > 0) return [...new Set(names)].slice(0, MAX_TOPICS);
    throw new ConnectError('the sink reads no topic that is there', { code: 'TOPIC_NOT_FOUND' });
  }

  async #matching(pattern: string): Promise<readonly string[]> {
    if (pattern === '') return [];
    let regex: RegExp;
    try {
      regex = topicsRegex(pattern);
    } catch (error) {
      throw new ConnectError(`topics.regex: ${String(error)}`, { code: 'CONFIG_INVALID' });
    }
    const topics = await this.#parts.log.listTopics();
    return topics
      .map(({ name }) => name)
      .filter((name) => !this.#parts.ownTopics.includes(name) && regex.test(name))
      .sort();
  }
}
