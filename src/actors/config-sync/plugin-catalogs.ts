import { findPlugin, PLUGIN_TYPES, shortNames, type PluginCatalog } from '../../plugins/catalog.js';
import { configuredPlugins, type DefaultConverters } from '../../plugins/configured-plugins.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { InstalledPackages } from '../../plugins/installed.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { PlanningJob } from './planning-pool.js';
import type { PluginListing } from './protocol.js';

interface Named {
  readonly class: string;
  readonly version: string;
}

/** The plugins of this node, for lists. Threads that run plugins read the manifests themselves. */
export class PluginCatalogs {
  readonly #paths: readonly string[];
  readonly #defaults: DefaultConverters;
  readonly #log: Pick<ActorLogger, 'warn'>;
  readonly #packages: InstalledPackages;
  #installed: readonly string[] = [];
  #catalog: PluginCatalog;
  /** Those that were tried and do not load, as many as there are plugins: with the reason. */
  #broken = new Map<string, { readonly path: string; readonly reason: string }>();

  constructor(
    params: DefaultConverters & {
      readonly pluginPaths: readonly string[];
      readonly installedPlugins?: string | null;
    },
    log: Pick<ActorLogger, 'warn'>,
  ) {
    this.#paths = params.pluginPaths;
    this.#packages = new InstalledPackages(params.installedPlugins ?? null);
    this.#defaults = params;
    this.#log = log;
    this.#catalog = this.#read();
  }

  /** Folders of packages that were installed with plugins when the plugins were last read. */
  get installed(): readonly string[] {
    return this.#installed;
  }

  listing(): PluginListing {
    const { plugins, problems } = this.#catalog;
    return {
      plugins: plugins.map((plugin) => ({
        class: plugin.class,
        type: plugin.type,
        version: plugin.version,
        aliases: [...plugin.aliases, ...shortNames(plugin)],
        ...(this.#broken.has(nameOf(plugin)) ? { loads: false as const } : {}),
      })),
      problems: [...problems, ...this.#broken.values()],
    };
  }

  reload(): PluginListing {
    this.#broken = new Map();
    this.#catalog = this.#read();
    return this.listing();
  }

  /** Loads each plugin of a package once, in a thread that may be lost, so that lists name none that does not load. */
  async check(load: (plugin: Named) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    const catalog = this.#catalog;
    for (const { class: name, version, location } of catalog.plugins) {
      if (location === null) continue;
      try {
        await load({ class: name, version });
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        if (this.#catalog !== catalog) return;
        this.#broken.set(nameOf({ class: name, version }), { path: location, reason });
        this.#log.warn({ path: location, code: 'PLUGIN_PROBLEM' }, reason);
      }
      if (signal.aborted || this.#catalog !== catalog) return;
    }
  }

  /** Throws PLUGIN_NOT_FOUND, PLUGIN_AMBIGUOUS, PLUGIN_VERSION_NOT_FOUND. */
  kindOf(config: Readonly<Record<string, string>>): 'source' | 'sink' {
    const name = config['connector.class'] ?? config['connector-class'] ?? '';
    const { type } = findPlugin(
      this.#catalog,
      ['source', 'sink'],
      name,
      config['connector.plugin.version'] ?? null,
    );
    return type === 'source' ? 'source' : 'sink';
  }

  /** The folders of the packages whose code a job runs; what is not found runs none. */
  packagesOf(job: PlanningJob): readonly string[] {
    const named =
      job.kind === 'definition'
        ? [{ types: PLUGIN_TYPES, pluginClass: job.class, version: job.version }]
        : configuredPlugins(job.config, this.#defaults);
    const folders: string[] = [];
    for (const { types, pluginClass, version } of named) {
      try {
        const { location } = findPlugin(this.#catalog, types, pluginClass, version);
        if (location !== null) folders.push(location);
      } catch {
        // Its absence is for the job to tell.
      }
    }
    return folders;
  }

  #read(): PluginCatalog {
    const installed = this.#packages.read();
    this.#installed = installed.folders;
    const { plugins, problems } = discoverPlugins([...this.#paths, ...installed.folders]);
    const catalog = { plugins, problems: [...problems, ...installed.problems] };
    for (const { path, reason } of catalog.problems) this.#log.warn({ path, code: 'PLUGIN_PROBLEM' }, reason);
    return catalog;
  }
}

function nameOf({ class: name, version }: Named): string {
  return `${name} ${version}`;
}
