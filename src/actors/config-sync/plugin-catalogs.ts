import { shortNames, type PluginCatalog } from '../../plugins/catalog.js';
import { discoverPlugins } from '../../plugins/discover.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { PluginListing } from './protocol.js';

/** The plugins of this node, for lists. Threads that run plugins read the manifests themselves. */
export class PluginCatalogs {
  readonly #paths: readonly string[];
  readonly #log: ActorLogger;
  #catalog: PluginCatalog;

  constructor(paths: readonly string[], log: ActorLogger) {
    this.#paths = paths;
    this.#log = log;
    this.#catalog = this.#read();
  }

  listing(): PluginListing {
    const { plugins, problems } = this.#catalog;
    return {
      plugins: plugins.map((plugin) => ({
        class: plugin.class,
        type: plugin.type,
        version: plugin.version,
        aliases: [...plugin.aliases, ...shortNames(plugin)],
      })),
      problems,
    };
  }

  reload(): PluginListing {
    this.#catalog = this.#read();
    return this.listing();
  }

  #read(): PluginCatalog {
    const catalog = discoverPlugins(this.#paths);
    for (const { path, reason } of catalog.problems) this.#log.warn({ path, code: 'PLUGIN_PROBLEM' }, reason);
    return catalog;
  }
}
