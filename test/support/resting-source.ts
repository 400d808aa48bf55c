/** A source that makes one record, and then rests: for so long, or until a signal where `rest.ms` is left out. */
import { sourceRecord, type SourceRecord, type SourceTaskContext } from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

type Raw = Readonly<Record<string, string>>;

class RestingTask {
  #context: SourceTaskContext | null = null;
  #restMs: number | null = null;
  #next = 1;
  #due = false;

  start(context: SourceTaskContext, _config: unknown, raw: Raw): void {
    this.#context = context;
    this.#restMs = raw['rest.ms'] === undefined ? null : Number(raw['rest.ms']);
    const { number, at } = context.position({}) ?? {};
    this.#next = (typeof number === 'number' ? number : 0) + 1;
    this.#due = typeof at !== 'number' || (this.#restMs !== null && Date.now() >= at + this.#restMs);
  }

  poll(): readonly SourceRecord[] {
    const at = Date.now();
    if (!this.#due) {
      this.#context?.rest(this.#restMs === null ? null : at + this.#restMs);
      this.#due = this.#restMs !== null;
      return [];
    }
    this.#due = false;
    const number = this.#next++;
    return [sourceRecord({ value: String(number), sourcePartition: {}, sourcePosition: { number, at } })];
  }

  signal(): number {
    this.#due = true;
    return this.#next;
  }

  stop(): void {}
}

export default sourceOf(['rest.ms'], () => new RestingTask());
