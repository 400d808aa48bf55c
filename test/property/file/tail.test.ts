import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import source from '#troupe/connectors/file/source/source.js';
import { SourceHarness } from '#troupe/sdk/testing/index.js';
import type { SourceConnector } from '#troupe/sdk/index.js';
import { RotatedWriter, type Step } from './file-writer.js';

assert.ok(source.type === 'source');
const connector: SourceConnector = source.plugin;

const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.string({
      maxLength: 30,
      unit: fc.constantFrom('a', 'ß', '€', '😀', ' ', '\\', '"', '\u2028'),
    }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 9000 }).map((length) => 'xyz€'.repeat(length / 4)) },
);
const text = fc
  .tuple(
    fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 6 }),
    fc.option(line, { nil: '' }),
  )
  .map(([lines, rest]) => lines.map(([content, end]) => content + end).join('') + rest);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      text,
      pieces: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('poll' as const),
      accept: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rotate' as const), create: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('copytruncate' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('restart' as const), kill: fc.boolean() }) },
);

/** One run of the tailer against a writer. Polled records are accepted in part; the rest comes again after a restart. */
class Run {
  readonly writer: RotatedWriter;
  readonly accepted: string[] = [];
  readonly #harness: SourceHarness;
  #pending: Awaited<ReturnType<SourceHarness['poll']>> = [];

  constructor(path: string, batchSize: number) {
    this.writer = new RotatedWriter(path);
    this.#harness = new SourceHarness(connector, {
      file: path,
      topic: 't',
      'poll.interval.ms': '1',
      'rotate.wait.ms': '0',
      'read.chunk.bytes': '4096',
      'batch.size': String(batchSize),
    });
  }

  async begin(): Promise<void> {
    await this.#harness.start();
    await this.writer.append('begin\n', 1);
    await this.#poll(1);
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'append':
        return this.writer.append(step.text, step.pieces);
      case 'poll':
        return this.#poll(step.accept);
      case 'rotate':
        return this.writer.rotate(step.create);
      case 'copytruncate':
        await this.#drain();
        return this.writer.copytruncate();
      case 'restart':
        return this.#restart(step.kill);
    }
  }

  /** What was written must have come, once, in order. */
  async end(): Promise<void> {
    await this.writer.append('\nend\n', 1);
    await this.#drain();
    assert.deepEqual(this.accepted, this.writer.available);
    await this.#harness.stop();
  }

  dispose(): Promise<void> {
    return this.#harness.dispose();
  }

  /** Polls only when there is something: an idle poll waits. */
  async #poll(share: number): Promise<void> {
    if (this.accepted.length + this.#pending.length < this.writer.available.length) {
      this.#pending = [...this.#pending, ...(await this.#harness.collect(1))];
    }
    const count = Math.ceil(this.#pending.length * share);
    await this.#accept(count);
  }

  async #accept(count: number): Promise<void> {
    const taken = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    await this.#harness.accept(taken);
    this.accepted.push(...taken.map(({ value }) => String(value)));
    assert.deepEqual(this.accepted, this.writer.available.slice(0, this.accepted.length));
  }

  async #drain(): Promise<void> {
    while (this.accepted.length < this.writer.available.length) await this.#poll(1);
  }

  async #restart(kill: boolean): Promise<void> {
    this.#pending = [];
    if (kill) this.#harness.kill();
    else await this.#harness.stop();
    await this.#harness.start();
  }
}

test('whatever is written, rotated and restarted, the tailer gives exactly the lines in order', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 1, max: 20 }),
      async (steps, batchSize) => {
        const folder = await mkdtemp(join(tmpdir(), 'troupe-tail-'));
        const run = new Run(join(folder, 'app.log'), batchSize);
        try {
          await run.begin();
          for (const item of steps) await run.step(item);
          await run.end();
          runs += 1;
        } finally {
          await run.dispose();
          await rm(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 60_000 },
  );
  assert.ok(runs >= 50, `only ${runs} runs within the time`);
});
