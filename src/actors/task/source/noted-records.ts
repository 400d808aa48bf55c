import type { CommittedRecord } from '../../../sdk/plugin.js';
import type { SourceRecord } from '../../../sdk/record.js';
import type { BatchPlace } from './open-batches.js';

export interface Noted {
  readonly record: SourceRecord;
  /** Null: it was left out. */
  readonly in: { readonly place: BatchPlace; readonly index: number } | null;
}

/**
 * The records of a task that wants to know which are durable. As many as those of the open batches, of the append under way, and
 * of the poll whose end tells of them.
 */
export class NotedRecords {
  #open: Noted[] = [];
  #committed: Noted[] = [];

  /** Of the next append. */
  get size(): number {
    return this.#open.length;
  }

  add(record: SourceRecord, place: Noted['in']): void {
    this.#open.push({ record, in: place });
  }

  /** Those of the next append; none are left. */
  take(): readonly Noted[] {
    if (this.#open.length === 0) return this.#open;
    const taken = this.#open;
    this.#open = [];
    return taken;
  }

  committed(noted: readonly Noted[]): void {
    for (const each of noted) this.#committed.push(each);
  }

  takeCommitted(): readonly CommittedRecord[] {
    if (this.#committed.length === 0) return [];
    const taken = this.#committed;
    this.#committed = [];
    return taken.map(({ record, in: found }) => ({ record, at: found === null ? null : placeOf(found) }));
  }
}

function placeOf({ place, index }: NonNullable<Noted['in']>): CommittedRecord['at'] {
  const { topic, queue, base } = place;
  return { topic, queue, offset: base === null ? null : base + index };
}
