import { within } from './deadline.js';
import type { SecretWatch } from './secret-watch.js';

/** Every call of a plugin: it ends in time, and its error is looked at, also where the caller expects one. */
export class PluginCalls {
  readonly #deadlineMs: number;
  readonly #secrets: SecretWatch;

  constructor(deadlineMs: number, secrets: SecretWatch) {
    this.#deadlineMs = deadlineMs;
    this.#secrets = secrets;
  }

  async run<T>(what: string, call: () => Promise<T> | T, deadlineMs = this.#deadlineMs): Promise<T> {
    try {
      return await within(what, deadlineMs, call());
    } catch (error) {
      this.#secrets.see(`an error of ${what}`, error);
      throw error;
    }
  }
}
