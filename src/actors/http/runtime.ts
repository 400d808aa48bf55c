/** The Runtime of the routes, over asks to the other actors. */
import { RuntimeFailure, type Call, type Health, type Runtime, type WorkerInfo } from '../../http/runtime.js';
import type { ConfigSyncProtocol, PluginListing } from '../config-sync/protocol.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';
import { ActorError } from '../kernel/errors.js';
import type { AskKind, Protocol, Ref, SystemRef } from '../kernel/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';

export interface HttpPeers {
  discovery: DiscoveryProtocol;
  'config-sync': ConfigSyncProtocol;
  rebalancer: RebalancerProtocol;
}

export type Refs = { readonly [K in keyof HttpPeers]: Ref<HttpPeers[K]> };

/** Only `reloadPlugins` and a restart of config-sync change the listing; another node's reload does not concern it. */
const LISTING_KEPT_MS = 30_000;

export function actorRuntime(worker: WorkerInfo, peers: Refs, system: SystemRef): Runtime {
  const sync = peers['config-sync'];
  const { discovery, rebalancer } = peers;
  const listing = new CachedListing(sync);
  const health = new HealthCheck(peers);
  return {
    worker,
    health: (call) => health.check(call),
    connectors: (call) => ask(call, sync, 'connectors', {}),
    connector: (call, name) => ask(call, sync, 'connector', { name }),
    put: (call, request) => ask(call, sync, 'put', request),
    patch: async (call, name, changes) => (await ask(call, sync, 'patch', { name, changes })).entry,
    delete: async (call, name) => {
      await ask(call, sync, 'delete', { name });
    },
    setTarget: async (call, name, state) => (await ask(call, sync, 'setTarget', { name, state })).entry,
    restart: async (call, request) => (await ask(call, sync, 'restart', request)).entry,
    validate: (call, config) => ask(call, sync, 'validate', { config }),
    plugins: (call) => listing.read(call),
    pluginConfig: (call, pluginClass, version) =>
      ask(call, sync, 'pluginConfig', { class: pluginClass, version }),
    reloadPlugins: async (call) => listing.keep(await ask(call, sync, 'reloadPlugins', {})),
    cluster: (call) => ask(call, discovery, 'view', {}),
    allocated: async (call) => (await ask(call, rebalancer, 'allocated', {})).units,
    tree: () => system.tree(),
  };
}

async function ask<P extends Protocol, K extends AskKind<P>>(
  call: Call,
  ref: Ref<P>,
  kind: K,
  request: P['ask'][K]['request'],
): Promise<P['ask'][K]['reply']> {
  call.waitingFor = `${ref.id} to answer "${kind}"`;
  try {
    const reply = await ref.ask(kind, request, { deadlineMs: call.remainingMs(), signal: call.signal });
    call.waitingFor = '';
    return reply;
  } catch (error) {
    throw toFailure(error, ref.id);
  }
}

function toFailure(error: unknown, id: string): unknown {
  if (!(error instanceof ActorError)) return error;
  const code = error.code === 'REMOTE_ERROR' ? (error.remoteCode ?? error.code) : error.code;
  const message =
    code === 'ACTOR_DOWN'
      ? `The ${id} actor of this node is starting or being restarted; try again.`
      : error.message;
  return new RuntimeFailure(code, message, { cause: error });
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
  /** Peers that have been up once: what is down after that is a fault, before it a start. */
  readonly #seenUp = new Set<string>();

  constructor(peers: Refs) {
    this.#peers = peers;
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
    if (starting.length > 0) return { status: 'starting', detail: `Not up yet: ${starting.join(', ')}.` };
    const down = refs.filter((ref) => !ref.up).map((ref) => ref.id);
    if (down.length > 0) return { status: 'unhealthy', detail: `Being restarted: ${down.join(', ')}.` };
    const { discovery, rebalancer, 'config-sync': sync } = this.#peers;
    await Promise.all([
      ask(call, discovery, 'view', {}),
      ask(call, sync, 'connector', { name: '' }),
      ask(call, rebalancer, 'allocated', {}),
    ]);
    return { status: 'healthy', detail: '' };
  }
}
