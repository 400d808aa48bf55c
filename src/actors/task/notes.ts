import type { StatusNote } from '../../core/model.js';
import { hideSecrets } from '../kernel/known-secrets.js';

const MAX_NOTES = 20;
const MAX_MESSAGE = 500;
/** Each word goes to all nodes: what comes all at once is told once, and what changes all the time seldom. */
const SOON_MS = 500;
const SELDOM_MS = 10_000;

/** What a user should know of the task though it runs. */
export class Notes {
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #known = new Map<string, StatusNote>();
  #timer: NodeJS.Timeout | null = null;
  #toldAt = -Infinity;

  /** `now`: milliseconds, monotonic. */
  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  get all(): readonly StatusNote[] {
    return [...this.#known.values()];
  }

  /** In place of what was said under this code before; null: no more. */
  set(code: string, message: string | null): void {
    const known = this.#known.get(code);
    if (message === null) {
      if (!this.#known.delete(code)) return;
    } else {
      const shown = hideSecrets(message, MAX_MESSAGE);
      if (shown === known?.message || (known === undefined && this.#known.size >= MAX_NOTES)) return;
      this.#known.set(code, { code, since: known?.since ?? Date.now(), message: shown });
    }
    const wait = Math.max(SOON_MS, this.#toldAt + SELDOM_MS - this.#now());
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#toldAt = this.#now();
      this.#onChange();
    }, wait).unref();
  }
}
