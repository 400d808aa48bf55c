/** Every call into a plugin passes here, so that a call that never returns is seen from outside. */
import type { Stall } from '../../core/model.js';

export class PluginCalls {
  readonly #timeoutMs: number;
  readonly #onChange: (stall: Stall | null) => void;
  readonly #timer: NodeJS.Timeout;
  #current: Stall | null = null;
  #reported = false;

  constructor(timeoutMs: number, onChange: (stall: Stall | null) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
    this.#timer = setInterval(
      () => {
        this.#check();
      },
      Math.max(10, Math.min(1000, timeoutMs / 4)),
    );
    this.#timer.unref();
  }

  /** Runs one call; the plugin's result or error is passed on untouched. */
  async run<T>(call: string, body: () => Promise<T> | T): Promise<T> {
    this.#current = { since: Date.now(), call };
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
    clearInterval(this.#timer);
  }

  #check(): void {
    const current = this.#current;
    if (current === null || this.#reported || Date.now() - current.since < this.#timeoutMs) return;
    this.#reported = true;
    this.#onChange(current);
  }
}
