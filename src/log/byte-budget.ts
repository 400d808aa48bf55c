/** Bytes that may be under way at once. Who asks for more waits in line; a request larger than all goes alone. */
import { LogError } from './log.js';

/** Callers that may wait; each holds a batch in memory. */
const MAX_WAITING = 1000;

export class ByteBudget {
  readonly #total: number;
  #taken = 0;
  readonly #line: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  async take(bytes: number): Promise<void> {
    if (this.#line.length === 0 && this.#fits(bytes)) {
      this.#taken += bytes;
      return;
    }
    if (this.#line.length >= MAX_WAITING) {
      throw new LogError(
        'LOG_BUSY',
        `${MAX_WAITING} appends wait already for ${this.#taken} bytes to be written. Try again`,
      );
    }
    await new Promise<void>((go) => this.#line.push({ bytes, go }));
  }

  give(bytes: number): void {
    this.#taken -= bytes;
    for (let next = this.#line[0]; next !== undefined && this.#fits(next.bytes); next = this.#line[0]) {
      this.#line.shift();
      this.#taken += next.bytes;
      next.go();
    }
  }

  #fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#total;
  }
}
