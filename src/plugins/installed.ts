import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { PluginProblem } from './catalog.js';
import { isObject } from './manifest.js';

/** Of a node_modules with its scopes. */
const MAX_PACKAGES = 10_000;
/** Of one package.json. Larger ones are not read. */
const MAX_BYTES = 1024 * 1024;

interface Found {
  /** Of packages with a manifest, in order of their names. */
  readonly folders: readonly string[];
  readonly problems: readonly PluginProblem[];
}

const NOTHING: Found = { folders: [], problems: [] };

/**
 * The packages with a manifest among those that are installed beside Troupe. Looking through hundreds of packages costs what
 * a tenth of a task's start does, so it is done once for all tasks, and again when one was added, replaced or removed.
 */
export class InstalledPackages {
  readonly #nodeModules: string | null;
  #found = NOTHING;
  /** When each folder of packages was last changed. */
  #changed = new Map<string, number>();

  /** null: none are looked for. */
  constructor(nodeModules: string | null) {
    this.#nodeModules = nodeModules;
  }

  read(): Found {
    if (this.#nodeModules === null) return NOTHING;
    if (this.#changed.size === 0 || [...this.#changed].some(([path, time]) => changedAt(path) !== time))
      this.#found = this.#look(this.#nodeModules);
    return this.#found;
  }

  #look(nodeModules: string): Found {
    this.#changed = new Map([[nodeModules, changedAt(nodeModules)]]);
    try {
      const packages = this.#packages(nodeModules);
      if (packages.length > MAX_PACKAGES) throw new Error(`it has more than ${MAX_PACKAGES} packages`);
      return { folders: packages.filter(hasManifest), problems: [] };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { folders: [], problems: [{ path: nodeModules, reason }] };
    }
  }

  #packages(nodeModules: string): readonly string[] {
    return namesIn(nodeModules).flatMap((name) => {
      const folder = join(nodeModules, name);
      if (!name.startsWith('@')) return [folder];
      this.#changed.set(folder, changedAt(folder));
      return namesIn(folder).map((inScope) => join(folder, inScope));
    });
  }
}

/** Names that begin with a dot are npm's own. */
function namesIn(path: string): readonly string[] {
  return readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .sort();
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function hasManifest(folder: string): boolean {
  const path = join(folder, 'package.json');
  try {
    if (statSync(path).size > MAX_BYTES) return false;
    const text = readFileSync(path, 'utf8');
    // Few have it, and most of the time would go into parsing the others.
    if (!text.includes('"troupe"')) return false;
    const json: unknown = JSON.parse(text);
    return isObject(json) && json['troupe'] !== undefined;
  } catch {
    // Whatever it is, it is no plugin.
    return false;
  }
}
