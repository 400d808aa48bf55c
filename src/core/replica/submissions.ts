import { EntryEncoder, type Writer } from './envelope.js';

export type SubmitErrorCode =
  /** Too many entries wait to be appended: try again later. Nothing was appended. */
  | 'SUBMIT_BUSY'
  /** The replica stopped following before the entry was read back. It may or may not take effect. */
  | 'SUBMIT_STOPPED'
  /** This node fell so far behind that the entry was trimmed before it was read back. It may or may not have taken effect. */
  | 'SUBMIT_OVERTAKEN';

export class SubmitError extends Error {
  override readonly name = 'SubmitError';
  readonly code: SubmitErrorCode;
  readonly retriable = true;
  constructor(code: SubmitErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Entries that wait to be appended or read back. */
const MAX_WAITING = 10_000;
const MAX_APPEND_ENTRIES = 1000;
const MAX_APPEND_BYTES = 1024 * 1024;

interface Submission<R> {
  readonly seq: number;
  readonly value: Uint8Array;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A writer's own entries on their way through the log. One append at a time, of all that gathered meanwhile: so they
 * stand in the log in the order of their numbers, which is what makes repeated ones recognisable.
 */
export class Submissions<E, R> {
  readonly #append: (values: readonly Uint8Array[]) => Promise<number>;
  readonly #encoder: EntryEncoder<E>;
  #queue: Submission<R>[] = [];
  readonly #waiting = new Map<number, Submission<R>>();
  #appending = false;
  #closed = false;

  constructor(port: { append(values: readonly Uint8Array[]): Promise<number> }, writer: Writer) {
    this.#append = (values) => port.append(values);
    this.#encoder = new EntryEncoder<E>(writer);
  }

  submit(entry: E): Promise<R> {
    if (this.#closed) return Promise.reject(stopped());
    if (this.#waiting.size >= MAX_WAITING) {
      const message = `${MAX_WAITING} entries wait for the log: nothing was appended, try again later`;
      return Promise.reject(new SubmitError('SUBMIT_BUSY', message));
    }
    return new Promise<R>((resolve, reject) => {
      const value = this.#encoder.encode(entry);
      const submission: Submission<R> = { seq: this.#encoder.seq, value, resolve, reject };
      this.#waiting.set(submission.seq, submission);
      this.#queue.push(submission);
      this.#pump();
    });
  }

  applied(seq: number, result: R): void {
    const submission = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    submission?.resolve(result);
  }

  fail(seq: number, error: unknown): void {
    const submission = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    submission?.reject(error);
  }

  /** Those that may have been read over; what is still in the queue is not in the log yet. */
  overtaken(): void {
    const queued = new Set(this.#queue.map(({ seq }) => seq));
    const message =
      'this node fell behind, and the log may not hold the entry any more: whether it took effect is unknown';
    for (const seq of [...this.#waiting.keys()]) {
      if (!queued.has(seq)) this.fail(seq, new SubmitError('SUBMIT_OVERTAKEN', message));
    }
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    for (const seq of [...this.#waiting.keys()]) this.fail(seq, stopped());
  }

  #pump(): void {
    if (this.#appending || this.#queue.length === 0) return;
    const batch = this.#take();
    this.#appending = true;
    void this.#append(batch.map(({ value }) => value))
      .catch((error: unknown) => {
        for (const { seq } of batch) this.fail(seq, error);
      })
      .finally(() => {
        this.#appending = false;
        this.#pump();
      });
  }

  #take(): Submission<R>[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of this.#queue) {
      bytes += value.byteLength;
      if (count > 0 && (count >= MAX_APPEND_ENTRIES || bytes > MAX_APPEND_BYTES)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }
}

function stopped(): SubmitError {
  return new SubmitError(
    'SUBMIT_STOPPED',
    'the replica has stopped: whether the entry took effect is unknown',
  );
}
