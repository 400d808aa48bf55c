/** A Runtime without actors: one node that plans and claims at once. */
import type {
  ConfigInfos,
  ConfigKeyInfo,
  PluginKeyInfo,
  PluginListing,
} from '#troupe/actors/config-sync/protocol.js';
import { EventPages } from '#troupe/actors/event-pages.js';
import { LogLevels } from '#troupe/actors/kernel/log-levels.js';
import type { TreeNode } from '#troupe/actors/kernel/protocol.js';
import {
  unitKey,
  type Claim,
  type ConnectorEntry,
  type TargetState,
  type UnitStatus,
} from '#troupe/core/model.js';
import {
  answer,
  send,
  signalOf,
  signalsOf,
  type SignalRecord,
  type Signals,
} from '#troupe/core/connectors/signals.js';
import type { ConfigIssue } from '#troupe/sdk/config.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { parseTransformTests, runTransformTests } from '#troupe/plugins/transform-tests.js';
import { RuntimeFailure, type Config, type Health, type Runtime } from '#troupe/http/runtime.js';

export const SOURCE = 'example.LinesSourceConnector';
export const SINK = 'example.LinesSinkConnector';

const NODE = { id: 'worker-1', incarnation: 'a' };

export class InMemoryRuntime implements Runtime {
  readonly worker = { workerId: 'worker-1', clusterId: 'cluster-1', version: '1.2.3', commit: 'abc' };
  readonly entries = new Map<string, ConnectorEntry>();
  readonly statuses = new Map<string, UnitStatus>();
  /** Called before each request is served: throws, or holds it up. */
  before: (what: string) => void | Promise<void> = () => undefined;
  healthNow: Health = { status: 'healthy', detail: '' };
  reloads = 0;
  drained: readonly string[] = [];
  /** Offsets of the next entries in the topics. */
  readonly places = { config: 7, cluster: 70 };
  readonly pages = {
    config: new EventPages(() => this.places.config),
    cluster: new EventPages(() => this.places.cluster),
  };
  readonly levels = new LogLevels('INFO');
  /** Requests for records. */
  readonly looked: unknown[] = [];
  readonly altered: unknown[] = [];
  used: readonly string[] = ['t1', 't2'];
  readonly sent: Signals = new Map();
  /** Nobody answers signals. */
  silent = false;
  #offset = 0;

  async health(): Promise<Health> {
    await this.before('health');
    return this.healthNow;
  }

  async metrics(...[, format]: Parameters<Runtime['metrics']>): Promise<string> {
    await this.before('metrics');
    return format === 'openmetrics' ? '# EOF\n' : '';
  }

  async events(...[source, request, signal]: Parameters<Runtime['events']>): ReturnType<Runtime['events']> {
    await this.before('events');
    return this.pages[source].page(request, signal);
  }

  async preview(...[, { of, ...request }]: Parameters<Runtime['preview']>): ReturnType<Runtime['preview']> {
    await this.before('preview');
    this.looked.push(request);
    const config = 'config' in of ? of.config : this.entries.get(of.connector)?.config;
    if (config === undefined) throw new RuntimeFailure('CONNECTOR_NOT_FOUND', 'there is none');
    if (config['connector.class'] === SINK)
      throw new RuntimeFailure('PREVIEW_REFUSED', 'the connector refuses a preview: there is one reader');
    return {
      type: 'source',
      records: [
        '{"topic":"t","queue":null,"timestamp":null,"key":null,"value":12345678901234567890,"headers":[]}',
      ],
      stopped: 'TIME',
    };
  }

  async records(...[, request]: Parameters<Runtime['records']>): ReturnType<Runtime['records']> {
    await this.before('records');
    this.looked.push(request);
    if (request.topic !== 't')
      throw new RuntimeFailure('TOPIC_NOT_FOUND', `there is no topic ${request.topic}`);
    if ((request.queue ?? 0) !== 0) throw new RuntimeFailure('QUEUE_NOT_FOUND', 'there is one queue');
    return {
      queues: [{ queue: 0, startOffset: 0, endOffset: 3, from: 2, next: 3 }],
      records: [
        '{"topic":"t","queue":0,"offset":2,"timestamp":1,"key":null,"value":12345678901234567890,"headers":[]}',
      ],
      stopped: null,
    };
  }

  async loggers(): Promise<ReturnType<LogLevels['list']>> {
    await this.before('loggers');
    return this.levels.list([['http']]);
  }

  async setLogger(...[, name, level]: Parameters<Runtime['setLogger']>): Promise<readonly string[]> {
    await this.before('setLogger');
    return this.levels.set(name, level, 1, [['http']]) ?? [];
  }

  async setClusterLogger(...[, name, level]: Parameters<Runtime['setClusterLogger']>): Promise<void> {
    await this.before('setClusterLogger');
    this.levels.set(name, level, 1, []);
  }

  async connectors(): Promise<readonly ConnectorEntry[]> {
    await this.before('connectors');
    return [...this.entries.values()];
  }

  async connector(_: unknown, name: string): Promise<ConnectorEntry | null> {
    await this.before('connector');
    return this.entries.get(name) ?? null;
  }

  async put(
    ...[, request]: Parameters<Runtime['put']>
  ): Promise<{ readonly entry: ConnectorEntry; readonly created: boolean }> {
    await this.before('put');
    const { name, config, mode, initialState, expectedVersion } = request;
    const stored = this.entries.get(name);
    if (stored !== undefined && mode === 'create')
      throw new RuntimeFailure('CONNECTOR_EXISTS', `${name} exists`);
    if (expectedVersion !== undefined && stored?.version !== expectedVersion) {
      throw new RuntimeFailure('VERSION_CONFLICT', `${name} is of version ${stored?.version ?? 'none'}`);
    }
    const entry = this.#write(name, config, stored?.targetState ?? initialState ?? 'RUNNING');
    return { entry, created: stored === undefined };
  }

  async patch(
    _: unknown,
    name: string,
    changes: Readonly<Record<string, string | null>>,
  ): Promise<ConnectorEntry> {
    await this.before('patch');
    const stored = this.#stored(name);
    const merged = Object.entries({ ...stored.config, ...changes });
    const config = merged.filter((entry): entry is [string, string] => entry[1] !== null);
    return this.#write(name, Object.fromEntries(config), stored.targetState);
  }

  async delete(_: unknown, name: string): Promise<void> {
    await this.before('delete');
    this.#stored(name);
    this.entries.delete(name);
  }

  async setTarget(_: unknown, name: string, targetState: TargetState): Promise<ConnectorEntry> {
    await this.before('setTarget');
    const entry = { ...this.#stored(name), targetState };
    this.entries.set(name, entry);
    return entry;
  }

  async restart(...[, request]: Parameters<Runtime['restart']>): Promise<ConnectorEntry> {
    await this.before('restart');
    const { name, connector, tasks } = request;
    const entry = { ...this.#stored(name), restart: { offset: ++this.#offset, connector, tasks } };
    this.entries.set(name, entry);
    return entry;
  }

  async offsets(): ReturnType<Runtime['offsets']> {
    await this.before('offsets');
    return {
      positions: [{ partition: { file: 'a' }, position: { at: 1 } }],
      offsets: [{ topic: 't', queue: 2, offset: 3 }],
    };
  }

  async alterOffsets(...[, name, change]: Parameters<Runtime['alterOffsets']>): Promise<void> {
    await this.before('alterOffsets');
    if (this.#stored(name).targetState !== 'STOPPED')
      throw new RuntimeFailure('CONNECTOR_NOT_STOPPED', `${name} is not stopped`);
    this.altered.push(change);
  }

  async lag(): ReturnType<Runtime['lag']> {
    await this.before('lag');
    return [{ topic: 't', queue: 2, records: 4, seconds: 1.5 }];
  }

  async topics(): ReturnType<Runtime['topics']> {
    await this.before('topics');
    return [{ name: 't', queues: 1, internal: false }];
  }

  async topic(_: unknown, name: string): ReturnType<Runtime['topic']> {
    await this.before('topic');
    if (name !== 't') return null;
    const queues = [{ queue: 0, startOffset: 0, endOffset: 3 }];
    return { name, internal: false, queues, retentionMs: 1000, retentionBytes: null, connectors: ['a'] };
  }

  async deleteTopic(_: unknown, name: string): Promise<void> {
    await this.before('deleteTopic');
    throw new RuntimeFailure(name === 't' ? 'TOPIC_IN_USE' : 'TOPIC_NOT_FOUND', `not ${name}`);
  }

  async usedTopics(): Promise<readonly string[]> {
    await this.before('usedTopics');
    return this.used;
  }

  async forgetTopics(): Promise<void> {
    await this.before('forgetTopics');
    this.used = [];
  }

  async sendSignal(...[, request]: Parameters<Runtime['sendSignal']>): Promise<SignalRecord> {
    await this.before('sendSignal');
    const entry = this.#stored(request.name);
    const meta = { offset: ++this.#offset, timestamp: 5, writer: { node: NODE.id, incarnation: 'a' } };
    const sent = send(this.sent, entry, request, meta);
    if (!sent.ok) throw new RuntimeFailure(sent.code, sent.message);
    const { name, id } = request;
    for (const unit of this.silent ? [] : sent.signal.units) {
      const given = { ok: true, answer: { did: request.signal.data }, node: NODE.id } as const;
      answer(this.sent, { name, id, unit, answer: given }, meta);
    }
    return signalOf(this.sent, name, id) ?? sent.signal;
  }

  async signals(_: unknown, name: string): Promise<readonly SignalRecord[]> {
    await this.before('signals');
    return signalsOf(this.sent, name);
  }

  async signal(_: unknown, name: string, id: string): Promise<SignalRecord | null> {
    await this.before('signal');
    return signalOf(this.sent, name, id);
  }

  async validate(_: unknown, config: Config): Promise<ConfigInfos> {
    await this.before('validate');
    return infosOf(config);
  }

  async testTransforms(
    ...[, config, body]: Parameters<Runtime['testTransforms']>
  ): ReturnType<Runtime['testTransforms']> {
    await this.before('testTransforms');
    try {
      const { tests }: { tests?: unknown } = JSON.parse(body) as object;
      return await runTransformTests(config, parseTransformTests(tests), discoverPlugins([]));
    } catch (error) {
      throw new RuntimeFailure('CONFIG_INVALID', String(error));
    }
  }

  async plugins(): Promise<PluginListing> {
    await this.before('plugins');
    return {
      plugins: [
        { class: SOURCE, type: 'source', version: '1.0.0', aliases: ['LinesSource'] },
        { class: SINK, type: 'sink', version: '1.0.0' },
        { class: 'example.JsonConverter', type: 'converter', version: '1.0.0' },
      ],
      problems: [],
    };
  }

  async pluginConfig(_: unknown, pluginClass: string): Promise<readonly PluginKeyInfo[]> {
    await this.before('pluginConfig');
    if (pluginClass === 'example.JsonConverter') return [definition('auth', 'PASSWORD')];
    if (pluginClass !== SOURCE && pluginClass !== SINK && pluginClass !== 'LinesSource') {
      throw new RuntimeFailure('PLUGIN_NOT_FOUND', `no plugin ${pluginClass}`);
    }
    return DEFINITIONS;
  }

  async reloadPlugins(): Promise<PluginListing> {
    this.reloads += 1;
    return this.plugins();
  }

  async cluster(): ReturnType<Runtime['cluster']> {
    await this.before('cluster');
    const running = [...this.entries.values()].filter((entry) => entry.targetState !== 'STOPPED');
    const claims = running.flatMap((entry): Claim[] =>
      [null, ...(entry.tasks?.configs ?? []).keys()].map((task) => ({
        unit: unitKey({ connector: entry.name, task }),
        node: NODE,
        epoch: 1,
        generation: entry.version,
      })),
    );
    const statuses = claims.map(({ unit }): UnitStatus => {
      const healthy = { unit, node: NODE, epoch: 1, state: 'RUNNING' as const, trace: null, stalled: null };
      return this.statuses.get(unit) ?? healthy;
    });
    const member = { ...NODE, restUrl: 'http://127.0.0.1:8082', joinedAt: 1, heartbeatAt: 2, silentMs: 3.4 };
    return {
      self: NODE,
      members: [member],
      drained: this.drained,
      claims,
      statuses,
      digest: 'd',
      offset: this.#offset,
    };
  }

  async drain(_: unknown, node: string, drained: boolean): Promise<void> {
    await this.before('drain');
    if (node !== NODE.id) throw new RuntimeFailure('NODE_NOT_FOUND', `There is no node ${node}.`);
    this.drained = drained ? [node] : [];
  }

  async rebalance(_: unknown, dryRun: boolean): ReturnType<Runtime['rebalance']> {
    await this.before(dryRun ? 'plan' : 'rebalance');
    if (this.drained.length === 0) return { moves: [], reason: 'Balanced.' };
    return { moves: [{ unit: 'a/0', from: NODE.id, to: null }], reason: null };
  }

  async tree(): Promise<TreeNode> {
    await this.before('tree');
    const http: TreeNode = {
      id: 'http',
      kind: 'actor',
      state: 'running',
      restarts: 0,
      heapUsedBytes: 5 << 20,
      heapLimitBytes: 64 << 20,
      mailbox: 0,
    };
    return {
      id: 'root',
      kind: 'supervisor',
      state: 'running',
      restarts: 0,
      strategy: 'one_for_one',
      children: [http],
    };
  }

  fail(unit: string, trace: string): void {
    this.statuses.set(unit, { unit, node: NODE, epoch: 1, state: 'FAILED', trace, stalled: null });
  }

  #stored(name: string): ConnectorEntry {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new RuntimeFailure('CONNECTOR_NOT_FOUND', `no connector ${name}`);
    return entry;
  }

  #write(name: string, config: Config, targetState: TargetState): ConnectorEntry {
    const { error_count } = infosOf(config);
    if (error_count > 0) throw new RuntimeFailure('CONFIG_INVALID', `${error_count} problems`);
    const version = ++this.#offset;
    const count = Number(config['tasks.max'] ?? '1');
    const configs = Array.from({ length: count }, () => ({ ...config, 'task.class': 'example.LinesTask' }));
    const tasks = { connectorVersion: version, generation: version, configs };
    const entry: ConnectorEntry = { name, config, targetState, version, restart: null, tasks };
    this.entries.set(name, entry);
    return entry;
  }
}

const DEFINITIONS: readonly PluginKeyInfo[] = [
  definition('connector.class', 'STRING'),
  definition('file', 'STRING'),
  { ...definition('db.pin', 'PASSWORD'), aliases: ['db.number'] },
  definition('tasks.max', 'INT'),
  { ...definition('headers', 'STRING'), format: 'map', secret: true },
];

function definition(name: string, type: string): ConfigKeyInfo {
  return {
    name,
    type,
    required: name === 'file',
    default_value: null,
    importance: 'HIGH',
    documentation: name,
    group: null,
    width: 'NONE',
    display_name: name,
    dependents: [],
    order_in_group: 0,
  };
}

/** The file is required, tasks.max is 1 to 8, the PIN has four digits. */
function infosOf(config: Config): ConfigInfos {
  const pluginClass = config['connector.class'] ?? '';
  const known = pluginClass === SOURCE || pluginClass === SINK || pluginClass === 'LinesSource';
  const reasons: Readonly<Record<string, string | null>> = {
    'connector.class': known
      ? null
      : `Failed to find any class that implements Connector and which name matches ${pluginClass}`,
    file: (config['file'] ?? '') === '' ? 'is required' : null,
    'db.pin': /^(pin-\d{4})?$/.test(config['db.pin'] ?? '') ? null : `${config['db.pin'] ?? ''} is not a PIN`,
    'tasks.max': /^[1-8]?$/.test(config['tasks.max'] ?? '') ? null : 'must be 1 to 8',
  };
  const issues: ConfigIssue[] = [];
  const configs = DEFINITIONS.map(({ aliases: _, format: __, secret: ___, ...key }) => {
    const reason = reasons[key.name] ?? null;
    const errors = reason === null ? [] : [`Configuration ${key.name}: ${reason}`];
    if (reason !== null) issues.push({ field: key.name, value: config[key.name] ?? null, reason });
    return {
      definition: key,
      value: {
        name: key.name,
        value: config[key.name] ?? null,
        recommended_values: [],
        errors,
        visible: true,
      },
    };
  });
  const names = DEFINITIONS.map(({ name }) => name);
  const given = Object.fromEntries(
    Object.keys(config).map((key) => [key, key === 'name' || names.includes(key) ? key : null]),
  );
  const unknown = Object.keys(given).filter((field) => given[field] === null);
  const warnings = unknown.map((field) => ({ field, value: null, reason: 'is unknown, and ignored' }));
  return { issues, warnings, given, name: pluginClass, error_count: issues.length, groups: [], configs };
}
