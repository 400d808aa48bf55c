import { Readable } from 'node:stream';

/** For a client that was cut off to take what is left, and read why. */
const LEAVE_MS = 10_000;

/**
 * Server-sent events of one client. Who writes waits for `room` before each page of them, so that no more than one is kept for
 * a client that is slow.
 */
export class EventStream extends Readable {
  readonly #patienceMs: number;
  readonly #onEnd: (code: string) => void;
  #ended = false;
  #waiting: (() => void)[] = [];

  /**
   * @param patienceMs so long a client may read nothing of what is kept for it
   * @param onEnd it takes no more events: why it was closed, or GONE
   */
  constructor(patienceMs: number, onEnd: (code: string) => void) {
    super();
    this.#patienceMs = patienceMs;
    this.#onEnd = onEnd;
  }

  override _read(): void {
    this.#wake();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#over('GONE');
    callback(error);
  }

  /** Resolves when the client has read nearly all; where it does not, the stream ends. */
  async room(): Promise<void> {
    if (this.#ended || this.readableLength < this.readableHighWaterMark) return;
    let left = this.readableLength;
    const timer = setInterval(() => {
      if (this.readableLength < left) left = this.readableLength;
      else
        this.close(
          'TOO_SLOW',
          `none of the events was read within ${this.#patienceMs} ms: come again with the last id, and read on`,
        );
    }, this.#patienceMs);
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    clearInterval(timer);
  }

  /** `id`: what a client that comes back says it has seen. */
  event(name: string, id: string, data: object): void {
    if (!this.#ended) this.push(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Nothing for the client's program: a place, and a sign of life. Not for one that does not read. */
  heartbeat(id: string): void {
    if (!this.#ended && this.readableLength < this.readableHighWaterMark)
      this.push(`: heartbeat\nid: ${id}\n\n`);
  }

  /** Tells the reason, and ends. */
  close(code: string, message: string): void {
    if (this.#ended) return;
    this.push(`event: closed\ndata: ${JSON.stringify({ code, message })}\n\n`);
    this.push(null);
    this.#over(code);
    const timer = setTimeout(() => this.destroy(), LEAVE_MS);
    this.once('close', () => {
      clearTimeout(timer);
    });
  }

  #over(code: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wake();
    this.#onEnd(code);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
