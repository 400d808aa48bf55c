import type { PluginLogger } from '../../sdk/index.js';

const REPORT_EVERY_MS = 10_000;

/** Says in the log what was left out: the first at once, then sums. Never the text itself. */
export class Omissions {
  readonly #log: PluginLogger;
  readonly #counts = new Map<string, { count: number; reportedAt: number }>();

  constructor(log: PluginLogger) {
    this.#log = log;
  }

  add(what: string, path: string, position: number): void {
    let entry = this.#counts.get(what);
    if (entry === undefined) this.#counts.set(what, (entry = { count: 0, reportedAt: -Infinity }));
    entry.count += 1;
    const now = performance.now();
    if (now - entry.reportedAt < REPORT_EVERY_MS) return;
    this.#log.warn(`left out ${what}`, { count: entry.count, file: path, before: position });
    entry.reportedAt = now;
    entry.count = 0;
  }
}
