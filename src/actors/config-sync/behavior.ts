import { randomUUID } from 'node:crypto';
import { Replica } from '../../core/replica/replicated-state.js';
import { planningMemory } from '../../core/planning-memory.js';
import { withLevels } from '../../core/connectors/level-entries.js';
import { savedConfigs } from '../../core/connectors/saved-states.js';
import { hasSharedGroups, openPublisher } from '../log/open-grpc.js';
import { openLog } from '../log/open.js';
import { openReplicatedTopic } from '../../log/replicated-topic.js';
import { behavior } from '../kernel/behavior.js';
import type { ActorContext } from '../kernel/protocol.js';
import { reportIssue } from '../replica-issues.js';
import { readBootConnectors, rememberApplied } from './boot-connectors.js';
import { ClusterLevels } from './cluster-levels.js';
import { coldStart, type ConfigReplica } from './cold-start.js';
import { ConnectorConfigs } from './connector-configs.js';
import { followEvents } from './connector-events.js';
import { ConnectorOffsets } from './connector-offsets.js';
import { ConnectorSignals } from './connector-signals.js';
import { LogTopics } from './log-topics.js';
import type { ConfigSyncParams, ConfigSyncPeers } from './params.js';
import { PlanningPool } from './planning-pool.js';
import { servePositions } from './planning-positions.js';
import { PluginCatalogs } from './plugin-catalogs.js';
import type { ConfigSyncProtocol } from './protocol.js';
import { sinkLag } from './sink-lag.js';
import { TopicRecords } from './topic-records.js';
import { TrackedTopics } from './tracked-topics.js';
import { Previews } from './previews.js';
import { publishChanges } from './publish-changes.js';

type Context = ActorContext<ConfigSyncPeers, ConfigSyncParams>;

/** Connector configs, target states and task lists, the same on every node; and the planning of tasks. */
export default behavior<ConfigSyncProtocol, ConfigSyncPeers, ConfigSyncParams>({
  async start(context) {
    const { params } = context;
    const log = await openLog(params.logSettings, context);
    const replica: ConfigReplica = new Replica({
      machine: withLevels(savedConfigs),
      port: await openReplicatedTopic(log, params.topic, await openPublisher(params.logSettings, context)),
      writer: { node: params.workerId, incarnation: `config-sync#${randomUUID()}` },
      onIssue: reportIssue(context.log, params.topic),
    });
    await replica.boot(context.signal);
    const following = new AbortController();
    replica.follow(following.signal).catch((error: unknown) => {
      context.crash(error);
    });
    const plugins = new PluginCatalogs(params, context.log);
    const pool = new PlanningPool({
      threads: params.planningThreads,
      timeoutMs: params.planningTimeoutMs,
      memory: planningMemory(params.nodeMemoryBytes),
      pluginPaths: params.pluginPaths,
      installed: () => plugins.installed,
      files: params.files,
      secretProviders: params.secretProviders,
      keyConverter: params.keyConverter,
      valueConverter: params.valueConverter,
      headerConverter: params.headerConverter,
      unknownKeys: params.unknownKeys,
      sharing: hasSharedGroups(params.logSettings),
      ownTopics: params.ownTopics,
      packagesOf: (job) => plugins.packagesOf(job),
      onLine: ({ connector, level, message, fields }) => {
        context.log[level]({ connector, ...(fields !== '' && { fields }) }, message);
      },
      onPositions: (request) => {
        servePositions(request, context.peers.persistence);
      },
      onStray: (error) => {
        context.log.warn({ err: error, code: 'PLANNING_STRAY' }, 'code that a plugin left running failed');
      },
    });
    const configs = new ConnectorConfigs(replica, pool);
    const offsets = new ConnectorOffsets(configs, pool, context.peers.persistence);
    const signals = new ConnectorSignals(replica, pool, params.workerId);
    const records = new TopicRecords(log, params.ownTopics, configs, pool);
    const previews = new Previews({
      log,
      ownTopics: params.ownTopics,
      configs,
      offsets,
      records,
      plugins,
      pool,
    });
    const logTopics = new LogTopics(log, params.ownTopics, replica);
    const events = followEvents(replica);
    const levels = new ClusterLevels(replica, context.system, context.log);
    const topics = new TrackedTopics(replica, params.topicTracking);
    await coldStart(context, replica);
    publishChanges(context.peers, replica);
    const checkPlugins = (): Promise<void> =>
      plugins.check((plugin) => pool.run({ kind: 'definition', ...plugin }), context.signal);
    void applyBootConnectors(context, configs).then(checkPlugins);
    return {
      handlers: {
        tell: {
          topicsUsed: ({ connector, topics: used }) => {
            topics.used(connector, used);
          },
        },
        ask: {
          events: (request, { signal }) => events.page(request, signal),
          setLogLevel: ({ logger, level }) => levels.set(logger, level),
          lag: async ({ name }) => sinkLag(log, (await offsets.read(name)).offsets, Date.now()),
          topics: () => logTopics.list(),
          topic: ({ name }) => logTopics.describe(name),
          preview: (request, { signal }) => previews.of(request, signal),
          records: (request, { signal }) => records.read(request, signal),
          deleteTopic: ({ name }) => logTopics.delete(name),
          usedTopics: ({ name }) => topics.of(name),
          forgetTopics: ({ name }) => topics.forget(name),
          connectors: () => configs.list(),
          connector: ({ name }) => configs.get(name),
          put: (request, { signal }) => configs.put(request, signal),
          patch: ({ name, changes }, { signal }) => configs.patch(name, changes, signal),
          delete: ({ name }) => configs.delete(name),
          setTarget: ({ name, state }) => configs.setTarget(name, state),
          restart: (request) => configs.restart(request),
          plan: (request, { signal }) => configs.plan(request, signal),
          offsets: ({ name }) => offsets.read(name),
          alterOffsets: async ({ name, change }, { signal }) => {
            await offsets.alter(name, change, signal);
            return {};
          },
          replan: ({ name }) => signals.replan(name),
          signal: (request, { signal }) => signals.send(request, signal),
          signals: ({ name }) => signals.list(name),
          signalOf: ({ name, id }) => signals.get(name, id),
          answerSignal: (request) => signals.answer(request),
          signalPlanner: (request, { signal }) => signals.plannerAnswers(request, signal),
          validate: ({ config, dryRun }, { signal }) =>
            dryRun ? configs.dryRun(config, { signal }) : configs.validate(config, { signal }),
          testTransforms: ({ config, body }, { signal }) =>
            pool.run({ kind: 'test', config, body }, { signal }),
          plugins: () => plugins.listing(),
          pluginConfig: ({ class: name, version }) => pool.run({ kind: 'definition', class: name, version }),
          reloadPlugins: () => {
            configs.forgetValidations();
            const listing = plugins.reload();
            pool.reload();
            void checkPlugins();
            return listing;
          },
        },
      },
      stop: async () => {
        following.abort();
        await pool.close();
      },
    };
  },
});

async function applyBootConnectors(context: Context, configs: ConnectorConfigs): Promise<void> {
  const { connectorsDir, storeDir } = context.params;
  if (connectorsDir === null) return;
  try {
    const { connectors, problems } = await readBootConnectors(connectorsDir, storeDir);
    for (const { file, reason } of problems) {
      // Without the folder there is nothing that was meant to be applied, or its name is wrong.
      const level = file === connectorsDir ? 'warn' : 'error';
      context.log[level]({ file, code: 'BAD_CONNECTOR_FILE' }, reason);
    }
    for (const connector of connectors) {
      try {
        const outcome = await configs.boot(connector);
        await rememberApplied(storeDir, connector);
        context.log.info({ connector: connector.name, file: connector.file }, outcome);
      } catch (error) {
        context.log.error(
          { file: connector.file, connector: connector.name, err: error },
          'the connector was not applied',
        );
      }
    }
  } catch (error) {
    context.log.error(
      { folder: connectorsDir, err: error },
      'the connectors of this folder were not applied',
    );
  }
}
