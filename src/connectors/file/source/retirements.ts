/**
 * Positions that are to be forgotten, as their files are gone. What a poll retires is forgotten before its records become
 * durable, so that the last line of a file would bring its position back: the next poll says it.
 */
import type { SourceTaskContext } from '../../../sdk/index.js';

export class Retirements {
  readonly #context: Pick<SourceTaskContext, 'retire'>;
  readonly #isRead: (path: string) => boolean;
  /** As many as there are files. */
  readonly #paths = new Set<string>();

  /** `isRead`: there is a file of that path again, and its records have the position. */
  constructor(context: Pick<SourceTaskContext, 'retire'>, isRead: (path: string) => boolean) {
    this.#context = context;
    this.#isRead = isRead;
  }

  add(path: string): void {
    this.#paths.add(path);
  }

  /** Before a poll reads anything. */
  say(): void {
    for (const path of this.#paths) if (!this.#isRead(path)) this.#context.retire({ file: path });
    this.#paths.clear();
  }
}
