/** The Runtime of the routes, over asks to the other actors. */
import { RuntimeFailure, type Call, type Health, type Runtime, type WorkerInfo } from '../runtime.js';
import type { ConfigSyncProtocol, PluginListing } from '../../actors/config-sync/protocol.js';
import type { DiscoveryProtocol } from '../../actors/discovery/protocol.js';
import { ActorError } from '../../actors/kernel/errors.js';
import type { AskKind, Protocol, Ref, SystemRef } from '../../actors/kernel/protocol.js';
import type { RebalancerProtocol } from '../../actors/rebalancer/protocol.js';
import { downReason, explained, NODE_STOPPING } from './down-reason.js';
import { NodeMetrics } from './node-metrics.js';

export interface HttpPeers {
  discovery: DiscoveryProtocol;
  'config-sync': ConfigSyncProtocol;
  rebalancer: RebalancerProtocol;
}

export type Refs = { readonly [K in keyof HttpPeers]: Ref<HttpPeers[K]> };

/** Only `reloadPlugins` and a restart of config-sync change the listing; another node's reload does not concern it. */
const LISTING_KEPT_MS = 30_000;

/** For the answer, beyond what is waited. */
const EVENTS_SPARE_MS = 10_000;

export function actorRuntime(
  worker: WorkerInfo,
  peers: Refs,
  system: SystemRef,
  isStopping: () => boolean,
): Runtime {
  const sync = explained(peers['config-sync'], system, isStopping);
  const discovery = explained(peers.discovery, system, isStopping);
  const rebalancer = explained(peers.rebalancer, system, isStopping);
  const listing = new CachedListing(sync);
  const metrics = new NodeMetrics(worker, peers.rebalancer, system);
  const health = new HealthCheck({ discovery, 'config-sync': sync, rebalancer }, system);
  return {
    worker,
    health: (call) =>
      isStopping() ? Promise.resolve({ status: 'unhealthy', detail: NODE_STOPPING }) : health.check(call),
    connectors: (call) => ask(call, sync, 'connectors', {}),
    connector: (call, name) => ask(call, sync, 'connector', { name }),
    put: (call, request) => ask(call, sync, 'put', request, whileThere(call)),
    patch: async (call, name, changes) =>
      (await ask(call, sync, 'patch', { name, changes }, whileThere(call))).entry,
    delete: async (call, name) => {
      await ask(call, sync, 'delete', { name });
    },
    setTarget: async (call, name, state) => (await ask(call, sync, 'setTarget', { name, state })).entry,
    restart: async (call, request) => (await ask(call, sync, 'restart', request)).entry,
    offsets: (call, name) => ask(call, sync, 'offsets', { name }),
    alterOffsets: async (call, name, change) => {
      await ask(call, sync, 'alterOffsets', { name, change }, whileThere(call));
    },
    lag: (call, name) => ask(call, sync, 'lag', { name }),
    events: async (source, request, signal) => {
      const options = { deadlineMs: request.waitMs + EVENTS_SPARE_MS, signal };
      try {
        return await (source === 'config'
          ? sync.ask('events', request, options)
          : discovery.ask('events', request, options));
      } catch (error) {
        throw toFailure(error);
      }
    },
    // Also while the runtime is down: that is when somebody looks for lines.
    loggers: () => system.logLevels(),
    setLogger: async (_call, name, level) => {
      try {
        return await system.setLogLevel(name, level);
      } catch (error) {
        throw toFailure(error);
      }
    },
    setClusterLogger: async (call, logger, level) => {
      await ask(call, sync, 'setLogLevel', { logger, level });
    },
    topics: (call) => ask(call, sync, 'topics', {}),
    topic: (call, name) => ask(call, sync, 'topic', { name }),
    preview: (call, request) => ask(call, sync, 'preview', request, whileThere(call)),
    records: (call, request) => ask(call, sync, 'records', request, whileThere(call)),
    deleteTopic: async (call, name) => {
      await ask(call, sync, 'deleteTopic', { name });
    },
    usedTopics: (call, name) => ask(call, sync, 'usedTopics', { name }),
    forgetTopics: async (call, name) => {
      await ask(call, sync, 'forgetTopics', { name });
    },
    sendSignal: (call, request) => ask(call, sync, 'signal', request, whileThere(call)),
    signals: (call, name) => ask(call, sync, 'signals', { name }),
    signal: (call, name, id) => ask(call, sync, 'signalOf', { name, id }),
    validate: (call, config, dryRun = false) =>
      ask(call, sync, 'validate', { config, dryRun }, whileThere(call)),
    testTransforms: (call, config, body) =>
      ask(call, sync, 'testTransforms', { config, body }, whileThere(call)),
    plugins: (call) => listing.read(call),
    pluginConfig: (call, pluginClass, version) =>
      ask(call, sync, 'pluginConfig', { class: pluginClass, version }),
    reloadPlugins: async (call) => listing.keep(await ask(call, sync, 'reloadPlugins', {})),
    cluster: (call) => ask(call, discovery, 'view', {}),
    drain: async (call, node, drained) => {
      await ask(call, discovery, 'drain', { node, drained });
    },
    rebalance: (call, dryRun) => ask(call, rebalancer, 'rebalance', { dryRun }),
    tree: () => system.tree(),
    metrics: (call, format) => metrics.text(call, format),
  };
}

/** A check holds one of the few threads for plugins: not for a client that has gone away. */
function whileThere(call: Call): AbortSignal {
  return AbortSignal.any([call.signal, call.gone]);
}

async function ask<P extends Protocol, K extends AskKind<P>>(
  call: Call,
  ref: Ref<P>,
  kind: K,
  request: P['ask'][K]['request'],
  signal = call.signal,
): Promise<P['ask'][K]['reply']> {
  call.waitingFor = `${ref.id} to answer "${kind}"`;
  try {
    const reply = await ref.ask(kind, request, { deadlineMs: call.remainingMs(), signal });
    call.waitingFor = '';
    return reply;
  } catch (error) {
    throw toFailure(error);
  }
}

function toFailure(error: unknown): unknown {
  if (!(error instanceof ActorError)) return error;
  const code = error.code === 'REMOTE_ERROR' ? (error.remoteCode ?? error.code) : error.code;
  return new RuntimeFailure(code, error.message, { cause: error });
}

/** Every answer with a connector's type needs the listing; asking for it each time would double the asks. */
class CachedListing {
  readonly #sync: Ref<ConfigSyncProtocol>;
  #kept: { readonly listing: PluginListing; readonly until: number } | null = null;

  constructor(sync: Ref<ConfigSyncProtocol>) {
    this.#sync = sync;
    sync.onChange(() => {
      this.#kept = null;
    });
  }

  async read(call: Call): Promise<PluginListing> {
    if (this.#kept !== null && performance.now() < this.#kept.until) return this.#kept.listing;
    return this.keep(await ask(call, this.#sync, 'plugins', {}));
  }

  keep(listing: PluginListing): PluginListing {
    this.#kept = { listing, until: performance.now() + LISTING_KEPT_MS };
    return listing;
  }
}

class HealthCheck {
  readonly #peers: Refs;
  readonly #system: SystemRef;
  /** Peers that have been up once: what is down after that is a fault, before it a start. */
  readonly #seenUp = new Set<string>();

  constructor(peers: Refs, system: SystemRef) {
    this.#peers = peers;
    this.#system = system;
    for (const ref of Object.values(peers)) {
      ref.onChange((up) => {
        if (up) this.#seenUp.add(ref.id);
      });
    }
  }

  /** Healthy: all are up and answer, so that any other request would be served as well. */
  async check(call: Call): Promise<Health> {
    const refs = Object.values(this.#peers);
    const starting = refs.filter((ref) => !this.#seenUp.has(ref.id)).map((ref) => ref.id);
    if (starting.length > 0) {
      const detail = `Not up yet: ${starting.join(', ')}.`;
      return { status: 'starting', detail: `${detail} ${downReason(await this.#system.tree())}`.trim() };
    }
    const down = refs.filter((ref) => !ref.up).map((ref) => ref.id);
    if (down.length > 0) return { status: 'unhealthy', detail: `Being restarted: ${down.join(', ')}.` };
    const { discovery, rebalancer, 'config-sync': sync } = this.#peers;
    const [{ suspendedSince, suspendedBecause }] = await Promise.all([
      ask(call, discovery, 'view', {}),
      ask(call, sync, 'connector', { name: '' }),
      ask(call, rebalancer, 'allocated', {}),
    ]);
    if (suspendedSince !== undefined) {
      const since = new Date(suspendedSince).toISOString();
      const detail = `No heartbeat of this node came back from the log since ${since}: its tasks are suspended until one does.`;
      return { status: 'unhealthy', detail: [detail, suspendedBecause ?? ''].join(' ').trim() };
    }
    return { status: 'healthy', detail: '' };
  }
}
