import { groupOf, type ConnectorEntry } from '../../core/model.js';
import type { Log } from '../../log/log.js';

const CHECK_MS = 30_000;

type Groups = Pick<Log, 'listGroups' | 'deleteGroup' | 'capabilities'>;

/**
 * Deletes the groups of connectors that are gone: one that outlived its connector would hold back retention for ever.
 * (The offset topic still knows its offsets.) Not at once, and only what was left at two checks: another node may just
 * have created a connector of that name anew.
 */
export class OrphanedGroups {
  readonly #log: Groups;
  /** null: not known yet. */
  readonly #connectors: () => readonly ConnectorEntry[] | null;
  readonly #timer: NodeJS.Timeout;
  #orphans: ReadonlySet<string> = new Set();
  /** Of connectors that were there at an earlier check. */
  readonly #seen = new Set<string>();

  constructor(
    log: Groups,
    connectors: () => readonly ConnectorEntry[] | null,
    onFailure: (error: unknown) => void,
  ) {
    this.#log = log;
    this.#connectors = connectors;
    this.#timer = setInterval(() => {
      this.check().catch(onFailure);
    }, CHECK_MS);
  }

  async check(): Promise<void> {
    const groups = await this.#ours();
    const connectors = this.#connectors();
    if (connectors === null) return;
    const present = new Set(connectors.map(({ name }) => groupOf(name)));
    for (const group of present) this.#seen.add(group);
    const orphans = groups.filter((group) => !present.has(group));
    for (const group of orphans) {
      if (!this.#orphans.has(group)) continue;
      await this.#log.deleteGroup(group);
      this.#seen.delete(group);
    }
    this.#orphans = new Set(orphans);
  }

  /** In RocketMQ groups hold nothing back, and one that only looks like ours may be somebody else's. */
  async #ours(): Promise<readonly string[]> {
    if (!this.#log.capabilities.trim) return [...this.#seen];
    return (await this.#log.listGroups()).filter((group) => group.startsWith(groupOf('')));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
