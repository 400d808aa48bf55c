/** What is wrong for as long as somebody does not mend it: said at once, and again seldom. */
import type { PluginLogger } from '../../../sdk/index.js';

const AGAIN_AFTER_MS = 600_000;
/** What was said longest ago is forgotten first, and may be said again sooner. */
const MAX_KEYS = 1000;

export class SeldomWarnings {
  readonly #log: PluginLogger;
  readonly #now: () => number;
  readonly #saidAt = new Map<string, number>();

  constructor(log: PluginLogger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Warnings with one key are taken for the same. */
  say(key: string, message: string, fields: Record<string, unknown>): void {
    const now = this.#now();
    if (now - (this.#saidAt.get(key) ?? -Infinity) < AGAIN_AFTER_MS) return;
    this.#saidAt.delete(key);
    this.#saidAt.set(key, now);
    const [oldest] = this.#saidAt.keys();
    if (this.#saidAt.size > MAX_KEYS && oldest !== undefined) this.#saidAt.delete(oldest);
    this.#log.warn(message, fields);
  }
}
