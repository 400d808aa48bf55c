import type { JsonObject, SourceRecord } from '../record.js';

/** Which records a runtime has made durable: those of a transaction when its end is there. */
export class WholeTransactions {
  /** Of each source partition, what waits for the end of its transaction. */
  readonly #open = new Map<string, SourceRecord[]>();

  /** In the order in which they become durable. */
  accept(records: readonly SourceRecord[]): readonly SourceRecord[] {
    const durable: SourceRecord[] = [];
    for (const record of records) {
      const { sourcePartition, transaction = null } = record;
      const open = this.#openOf(sourcePartition);
      // Without a word of its own its end is known by what follows it.
      if (open[0] !== undefined && open[0].transaction?.id !== transaction?.id)
        durable.push(...open.splice(0));
      if (transaction === null) durable.push(record);
      else open.push(record);
      if (transaction?.end === true) durable.push(...open.splice(0));
    }
    return durable;
  }

  /** The ids of those that wait. */
  get waiting(): readonly string[] {
    return [...this.#open.values()].flatMap(([first]) => first?.transaction?.id ?? []);
  }

  drop(): void {
    this.#open.clear();
  }

  #openOf(partition: JsonObject): SourceRecord[] {
    const key = JSON.stringify(partition);
    const open = this.#open.get(key) ?? [];
    this.#open.set(key, open);
    return open;
  }
}
