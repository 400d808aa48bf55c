import type { StatusNote } from '../../core/model.js';
import { hideSecrets } from '../kernel/known-secrets.js';

const MAX_NOTES = 20;
const MAX_MESSAGE = 500;
/** What a user should know of the task though it runs. */
export class Notes {
  readonly #onChange: () => void;
  readonly #known = new Map<string, StatusNote>();

  constructor(onChange: () => void) {
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
    this.#onChange();
  }
}
