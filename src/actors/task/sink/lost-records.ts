import type { QueueRef } from '../../../sdk/plugin.js';
import type { TaskParts } from '../parts.js';

/** Says which records retention deleted before the sink had read them, and how many there were since the task started. */
export class LostRecords {
  readonly #parts: Pick<TaskParts, 'context' | 'report'>;
  #records = 0;

  constructor(parts: Pick<TaskParts, 'context' | 'report'>) {
    this.#parts = parts;
  }

  /** From `from` to the one before `to`. */
  count({ topic, queue }: QueueRef, from: number, to: number): void {
    const { context, report } = this.#parts;
    const code = 'RECORDS_LOST';
    const records = to - from;
    this.#records += records;
    context.log.warn(
      { code, topic, queue, records, from, to },
      'retention deleted records before this sink had read them',
    );
    report.note(
      code,
      `retention deleted ${this.#records} records before this sink had read them, the last of them in topic ${topic}, queue ${queue}, from offset ${from} to ${to - 1}. Keep records longer, or make the sink faster`,
    );
  }
}
