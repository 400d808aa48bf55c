/** Transactions of a source that are larger than an append: what of them stands in the log, and what is read again. */
import { canonicalJson } from '../replica/canonical-json.js';
import { count, isObject, object, text } from '../replica/json-shape.js';
import type { TransactionPart } from '../model.js';
import type { JsonObject } from '../../sdk/record.js';

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value);
}

export const isTransactionPart = object<TransactionPart>({
  partition: isJsonObject,
  id: text,
  records: count,
  position: isJsonObject,
});

interface Recorded {
  readonly part: TransactionPart;
  readonly epoch: number;
}

/** One for each source partition, at most. */
export class TransactionParts {
  readonly #parts = new Map<string, Recorded>();

  recorded(): readonly Recorded[] {
    return [...this.#parts.values()];
  }

  /** Ignored where a newer epoch has said something. */
  set(part: TransactionPart, epoch: number): void {
    const key = canonicalJson(part.partition);
    if (part.records === 0) this.delete(key, epoch);
    else if (epoch >= (this.#parts.get(key)?.epoch ?? 0)) this.#parts.set(key, { part, epoch });
  }

  delete(key: string, epoch: number): void {
    if (epoch >= (this.#parts.get(key)?.epoch ?? 0)) this.#parts.delete(key);
  }

  clear(): void {
    this.#parts.clear();
  }
}

/**
 * The records of a transaction that stand in the log from an earlier start, while the source makes them again. They are known
 * by their number: a transaction does not change once it is there, and its records come in order.
 */
export class LeftPart {
  readonly #part: TransactionPart;
  #passed = 0;

  constructor(part: TransactionPart) {
    this.#part = part;
  }

  get records(): number {
    return this.#part.records;
  }

  /** Whether more of them are to come. */
  get more(): boolean {
    return this.#passed < this.#part.records;
  }

  /** Whether the next record, of this position, can be the one that stands there. */
  passes(position: JsonObject, end: boolean): boolean {
    this.#passed += 1;
    if (this.more) return !end;
    return canonicalJson(position) === canonicalJson(this.#part.position);
  }
}
