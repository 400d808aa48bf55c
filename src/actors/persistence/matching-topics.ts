/** Matches users' patterns in a thread that others wait for: one that costs too much is given up. */
import vm from 'node:vm';
import { LRUCache } from 'lru-cache';

const LIMIT_MS = 100;
const MAX_GIVEN_UP = 1000;

export class MatchingTopics {
  readonly #script = new vm.Script(
    'const regex = new RegExp(source, flags); names.filter((name) => regex.test(name))',
  );
  /** Each look at one costs the whole limit. */
  readonly #givenUp = new LRUCache<string, true>({ max: MAX_GIVEN_UP });

  /** null: unknown, it costs too much. `onGivenUp`: just now, and for as long as it is remembered. */
  of({ source, flags }: RegExp, names: readonly string[], onGivenUp: () => void): readonly string[] | null {
    if (this.#givenUp.has(source)) return null;
    try {
      const found: unknown = this.#script.runInNewContext({ source, flags, names }, { timeout: LIMIT_MS });
      return Array.isArray(found) ? found.map(String) : null;
    } catch (error) {
      if (!isTimeout(error)) throw error;
      this.#givenUp.set(source, true);
      onGivenUp();
      return null;
    }
  }
}

/** It is an Error of the script's own globals. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
