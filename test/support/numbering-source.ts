/** A source whose tasks number their records, and write down what they do. Loaded as a plugin by the cluster tests. */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  sourceRecord,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '#troupe/sdk/index.js';
import { note, nowMs, type Act } from './journal.js';
import { contentOf } from './node-process.js';
import { sourceOf } from './plugin-of.js';

type Raw = Readonly<Record<string, string>>;

class NumberingTask implements SourceTask {
  readonly #instance = randomUUID().slice(0, 8);
  #journal = '';
  #unit = '';
  #task = 0;
  #next = 1;
  /** The last number that is durable. What was polled beyond it may be given up in a stop, and is made again at the next start. */
  #durable = 0;
  #batch = 1;
  #pauseMs = 0;
  #refusesToStop = false;
  #keyed = false;
  /** Of the upstream: the numbers that it need not keep any more. Null: it keeps all. */
  #pruned: string | null = null;
  #signal: AbortSignal | null = null;

  start(context: SourceTaskContext, _config: unknown, raw: Raw): void {
    this.#task = context.taskId;
    this.#unit = `${context.connectorName}/${this.#task}`;
    this.#journal = raw['journal'] ?? '';
    this.#batch = Number(raw['batch'] ?? '10');
    this.#pauseMs = Number(raw['pause.ms'] ?? '10');
    this.#refusesToStop = raw['refuse.stop'] === 'true';
    this.#keyed = raw['keyed'] === 'true';
    const upstream = raw['upstream'] ?? '';
    this.#pruned = upstream === '' ? null : `${upstream}-${this.#unit.replace('/', '-')}.txt`;
    this.#signal = context.signal;
    const last = context.position({ task: this.#task })?.['number'];
    // What the upstream has pruned cannot be had again, whatever the position says.
    this.#next = Math.max(typeof last === 'number' ? last : 0, this.#lastPruned()) + 1;
    this.#durable = this.#next - 1;
    this.#note('start', String(this.#next));
  }

  async poll(): Promise<SourceRecord[]> {
    // At the beginning: a process that is suspended in the pause goes on with this very call.
    this.#note('poll', String(this.#next));
    await sleep(this.#pauseMs, undefined, { signal: this.#signal ?? undefined }).catch(() => undefined);
    if (this.#signal?.aborted === true) return [];
    return Array.from({ length: this.#batch }, () => {
      const number = this.#next++;
      return sourceRecord({
        ...(this.#keyed ? { key: this.#unit } : {}),
        value: `${this.#unit} ${number}`,
        sourcePartition: { task: this.#task },
        sourcePosition: { number },
      });
    });
  }

  commit(positions: readonly { readonly position: Readonly<Record<string, unknown>> }[]): void {
    for (const { position } of positions) this.#durable = Math.max(this.#durable, Number(position['number']));
    if (this.#pruned === null) return;
    // A line of its own, with a mark at its end: who wrote the one before may have been killed.
    for (const { position } of positions) appendFileSync(this.#pruned, `\n${String(position['number'])}.\n`);
  }

  async stop(): Promise<void> {
    this.#note('stop', String(this.#durable + 1));
    if (!this.#refusesToStop) return;
    setInterval(() => undefined, 1000);
    await new Promise<never>(() => undefined);
  }

  /** Whole lines only. */
  #lastPruned(): number {
    const text = this.#pruned === null ? '' : (contentOf(this.#pruned)?.toString('utf8') ?? '');
    const lines = text.split('\n').filter((line) => line.endsWith('.'));
    return lines.reduce((last, line) => Math.max(last, Number(line.slice(0, -1))), 0);
  }

  #note(what: Act['what'], value: string): void {
    const { pid } = process;
    const act = {
      what,
      unit: this.#unit,
      pid,
      instance: this.#instance,
      at: nowMs(),
      queue: 0,
      offset: 0,
      value,
    };
    note(this.#journal, [act]);
  }
}

export default sourceOf(
  ['journal', 'batch', 'pause.ms', 'refuse.stop', 'keyed', 'upstream'],
  () => new NumberingTask(),
);
