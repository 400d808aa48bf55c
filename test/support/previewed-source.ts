/** A source that tells in a file what its tasks are asked to do. Modes: numbers, refuses, spins, fails. */
import { appendFileSync } from 'node:fs';
import { sourceRecord, type SourceRecord, type SourceTaskContext } from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

type Raw = Readonly<Record<string, string>>;

class PreviewedTask {
  #say: (word: string) => void = () => undefined;
  #mode = '';
  #next = 0;

  start(context: SourceTaskContext, _config: unknown, raw: Raw): void {
    this.#mode = raw['mode'] ?? '';
    this.#say = (word) => {
      appendFileSync(raw['diary'] ?? '', `${word}\n`);
    };
    const at = context.position({ p: 0 })?.['at'];
    this.#next = typeof at === 'number' ? at + 1 : 0;
    context.metrics.counter({ name: 'polls_total', help: 'Polls.' }).add();
    context.note('SEEN', 'a note');
    context.beginAt({ p: 1 }, { at: 100 });
    this.#say(`start at ${this.#next}`);
  }

  poll(): readonly SourceRecord[] {
    if (this.#mode === 'spins') for (let i = 0; i >= 0; i += 1) if (i > 1) i = 0;
    if (this.#mode === 'fails' && this.#next >= 2) throw new Error('the system is broken');
    const number = this.#next++;
    return [
      sourceRecord({
        value: { number, text: `n${number}` },
        sourcePartition: { p: 0 },
        sourcePosition: { at: number },
      }),
    ];
  }

  commit(): void {
    this.#say('commit');
  }

  stop(): void {
    this.#say('stop');
  }
}

export default sourceOf(['mode', 'diary'], () => new PreviewedTask(), {
  previewRefusal: (_config: unknown, raw: Raw) => (raw['mode'] === 'refuses' ? 'there is one reader' : null),
});
