/** A sink that writes down each record it is given, at once. Loaded as a plugin by the cluster tests. */
import { randomUUID } from 'node:crypto';
import type { QueueRef, SinkRecord, SinkTask, SinkTaskContext } from '#troupe/sdk/index.js';
import { note, nowMs, type Act } from './journal.js';
import { sinkOf } from './plugin-of.js';

export class RecordingTask implements SinkTask {
  readonly #instance = randomUUID().slice(0, 8);
  #journal = '';
  #unit = '';

  start(context: SinkTaskContext, _config: unknown, raw: Readonly<Record<string, string>>): void {
    this.#unit = `${context.connectorName}/${context.taskId}`;
    this.#journal = raw['journal'] ?? '';
    note(this.#journal, [this.#act('start')]);
  }

  /** The time of all is that of the call: a process that is suspended in the middle of a call goes on with it. */
  put(records: readonly SinkRecord[]): void {
    const act = this.#act('put');
    note(
      this.#journal,
      records.map(({ queue, offset, value }) => ({ ...act, queue, offset, value: String(value) })),
    );
  }

  flush(): void {
    // Written at once.
  }

  stop(): void {
    note(this.#journal, [this.#act('stop')]);
  }

  /** `value`: the topic. */
  noteQueues(what: 'open' | 'close', queues: readonly QueueRef[]): void {
    const act = this.#act(what);
    note(
      this.#journal,
      queues.map(({ topic, queue }) => ({ ...act, queue, value: topic })),
    );
  }

  #act(what: Act['what']): Act {
    const { pid } = process;
    return {
      what,
      unit: this.#unit,
      pid,
      instance: this.#instance,
      at: nowMs(),
      queue: 0,
      offset: 0,
      value: '',
    };
  }
}

export default sinkOf(['journal'], () => new RecordingTask());
