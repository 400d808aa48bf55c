/** Every call into a plugin passes here, so that a call that never returns is seen from outside. */
import type { Stall } from '../../core/model.js';

/** The most that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class PluginCalls {
  readonly #timeoutMs: number;
  readonly #onChange: (stall: Stall | null) => void;
  /** While there are calls; one timer for all of them that begin before it fires. */
  #timer: NodeJS.Timeout | null = null;
  #current: Stall | null = null;
  #reported = false;

  constructor(timeoutMs: number, onChange: (stall: Stall | null) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
  }

  /** Runs one call; the plugin's result or error is passed on untouched. */
  async run<T>(call: string, body: () => Promise<T> | T): Promise<T> {
    this.#current = { since: Date.now(), call };
    if (this.#timer === null) this.#lookAfter(this.#timeoutMs);
    try {
      return await body();
    } finally {
      this.#current = null;
      if (this.#reported) {
        this.#reported = false;
        this.#onChange(null);
      }
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #lookAfter(ms: number): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#look();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    this.#timer.unref();
  }

  #look(): void {
    const current = this.#current;
    if (current === null) return;
    const left = current.since + this.#timeoutMs - Date.now();
    if (left > 0) this.#lookAfter(left);
    else if (!this.#reported) {
      this.#reported = true;
      this.#onChange(current);
    }
  }
}
