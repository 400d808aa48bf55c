import { randomUUID } from 'node:crypto';
import {
  configMachine,
  type ConfigEntry,
  type ConfigResult,
  type ConfigState,
} from '../../core/config-machine.js';
import { Replica } from '../../core/replicated-state.js';
import type { LogProtocol } from '../../log/embedded/protocol.js';
import { openLog } from '../../log/open.js';
import { openReplicatedTopic } from '../../log/replicated-topic.js';
import { coalesce } from '../coalesce.js';
import { behavior } from '../kernel/behavior.js';
import type { ActorContext } from '../kernel/protocol.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';
import { reportIssue } from '../replica-issues.js';
import { readBootConnectors, rememberApplied } from './boot-connectors.js';
import { ConnectorConfigs } from './connector-configs.js';
import type { ConfigSyncParams } from './params.js';
import { PlanningPool } from './planning-pool.js';
import { PluginCatalogs } from './plugin-catalogs.js';
import type { ConfigSyncProtocol } from './protocol.js';

export interface ConfigSyncPeers {
  log: LogProtocol;
  persistence: PersistenceProtocol;
  rebalancer: RebalancerProtocol;
}

type Context = ActorContext<ConfigSyncPeers, ConfigSyncParams>;
type ConfigReplica = Replica<ConfigState, ConfigEntry, ConfigResult>;

const PUBLISH_AFTER_MS = 5;

/** Connector configs, target states and task lists, the same on every node; and the planning of tasks. */
export default behavior<ConfigSyncProtocol, ConfigSyncPeers, ConfigSyncParams>({
  async start(context) {
    const { params } = context;
    const replica: ConfigReplica = new Replica({
      machine: configMachine,
      port: await openReplicatedTopic(openLog(context.peers.log), params.topic),
      writer: { node: params.workerId, incarnation: `config-sync#${randomUUID()}` },
      onIssue: reportIssue(context.log, params.topic),
    });
    await replica.boot(context.signal);
    publishChanges(context, replica);
    const following = new AbortController();
    replica.follow(following.signal).catch((error: unknown) => {
      context.crash(error);
    });
    const plugins = new PluginCatalogs(params.pluginPaths, context.log);
    const pool = new PlanningPool({
      threads: params.planningThreads,
      timeoutMs: params.planningTimeoutMs,
      pluginPaths: params.pluginPaths,
      keyConverter: params.keyConverter,
      valueConverter: params.valueConverter,
    });
    const configs = new ConnectorConfigs(replica, pool);
    await restoreSaved(context, replica);
    void applyBootConnectors(context, configs);
    return {
      handlers: {
        tell: {},
        ask: {
          connectors: () => configs.list(),
          connector: ({ name }) => configs.get(name),
          put: (request) => configs.put(request),
          patch: ({ name, changes }) => configs.patch(name, changes),
          delete: ({ name }) => configs.delete(name),
          setTarget: ({ name, state }) => configs.setTarget(name, state),
          restart: (request) => configs.restart(request),
          plan: ({ name }) => configs.plan(name),
          validate: ({ config }) => configs.validate(config),
          plugins: () => plugins.listing(),
          pluginConfig: ({ class: name, version }) => pool.run({ kind: 'definition', class: name, version }),
          reloadPlugins: () => {
            configs.forgetValidations();
            pool.reload();
            return plugins.reload();
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

/** Persistence and the rebalancer hear of every change, and of everything when they come up. */
function publishChanges(context: Context, replica: ConfigReplica): void {
  const { persistence, rebalancer } = context.peers;
  const message = (): {
    connectors: ConfigState['connectors'] extends Map<string, infer C> ? C[] : never;
  } => ({
    connectors: [...replica.state.connectors.values()],
  });
  const publish = coalesce(PUBLISH_AFTER_MS, () => {
    persistence.tell('configs', message());
    rebalancer.tell('configsChanged', message());
  });
  replica.onApplied(publish);
  replica.onReplaced(publish);
  for (const peer of [persistence, rebalancer]) {
    peer.onChange((up) => {
      if (up) publish();
    });
  }
}

/** A store that never held a connector takes those of connectorConfig.json: its own, or one brought from upstream. */
async function restoreSaved(context: Context, replica: ConfigReplica): Promise<void> {
  if (replica.appliedOffset > 0) return;
  const saved = await context.peers.persistence.ask('savedConfigs', {}, { deadlineMs: 10_000 });
  for (const { name, config, targetState } of saved ?? []) {
    await replica.submit({
      type: 'CONNECTOR',
      name,
      config,
      initialState: targetState,
      expectedVersion: null,
      unlessDeleted: true,
    });
    context.log.info({ connector: name }, 'restored from connectorConfig.json');
  }
}

async function applyBootConnectors(context: Context, configs: ConnectorConfigs): Promise<void> {
  const { connectorsDir, storeDir } = context.params;
  if (connectorsDir === null) return;
  try {
    const { connectors, problems } = await readBootConnectors(connectorsDir, storeDir);
    for (const { file, reason } of problems) context.log.error({ file, code: 'BAD_CONNECTOR_FILE' }, reason);
    for (const connector of connectors) {
      try {
        const { created } = await configs.put({
          name: connector.name,
          config: connector.config,
          mode: 'put',
        });
        await rememberApplied(storeDir, connector);
        context.log.info(
          { connector: connector.name, file: connector.file },
          created ? 'created' : 'updated',
        );
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
