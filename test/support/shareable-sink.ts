/**
 * A sink that gathers records until its flush, which writes them down: one line `task<TAB>value` each. What a value
 * begins with makes it fail: `poison`, never taken; `stuck`, the first flush never returns.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { RetriableError, type SinkRecord, type SinkTask, type SinkTaskContext } from '#troupe/sdk/index.js';
import { sinkOf } from './plugin-of.js';

class GatheringTask implements SinkTask {
  #journal = '';
  #task = 0;
  #gathered: string[] = [];

  start(context: SinkTaskContext, _config: unknown, raw: Readonly<Record<string, string>>): void {
    this.#task = context.taskId;
    this.#journal = raw['journal'] ?? '';
  }

  put(records: readonly SinkRecord[]): void {
    const values = records.map(({ value }) => String(value));
    if (values.some((value) => value.startsWith('poison'))) throw new RetriableError('this sink is poisoned');
    this.#gathered.push(...values);
  }

  async flush(): Promise<void> {
    const mark = `${this.#journal}.stuck`;
    if (this.#gathered.some((value) => value.startsWith('stuck')) && !existsSync(mark)) {
      writeFileSync(mark, '');
      await new Promise(() => undefined);
    }
    const lines = this.#gathered.map((value) => `${this.#task}\t${value}\n`);
    this.#gathered = [];
    appendFileSync(this.#journal, lines.join(''));
  }

  stop(): void {
    this.#gathered = [];
  }
}

export default sinkOf(['journal'], () => new GatheringTask(), { shareable: true });
