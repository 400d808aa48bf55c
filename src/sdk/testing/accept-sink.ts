import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plugin, RawConfig, SinkConnector } from '../plugin.js';
import { acceptConfig, type Guarantee, type WrongConfig } from './accept-config.js';
import { interrupted, withFixture, withHarness } from './with-harness.js';
import { SinkHarness, type SinkHarnessOptions } from './sink-harness.js';

/** A target system of its own for one test. */
export interface SinkFixture {
  readonly config: RawConfig;
  /** The values that arrived, in the order of arrival. */
  read(): Promise<readonly unknown[]>;
  /** Makes the system unwritable in a way that passes; what it returns makes it writable again. */
  interrupt?(): Promise<() => Promise<void>>;
  cleanup?(): Promise<void>;
}

export interface SinkAcceptance {
  readonly name: string;
  readonly plugin: Plugin;
  readonly setup: () => Promise<SinkFixture>;
  /** exactly-once: nothing arrives twice, whenever the task dies. Default at-least-once. */
  readonly guarantee?: Guarantee;
  readonly wrongConfigs?: readonly WrongConfig[];
  /** The value of record number `n`, different for each; `read` gives it back as it is. Default: a string. */
  readonly value?: (n: number) => unknown;
}

/** What a task has done when it dies. Each is tried, first on an empty target and then on one that has records. */
const KILL_POINTS = [
  'started',
  'put once',
  'put twice',
  'flushed',
  'flushed and put',
  'committed',
  'committed and put',
] as const;
type KillPoint = (typeof KILL_POINTS)[number];

/** Registers the suite with node:test: `acceptSink({ name, plugin, setup })` in a test file is all it takes. */
export function acceptSink(options: SinkAcceptance): void {
  const { plugin } = options;
  assert.ok(plugin.type === 'sink', 'acceptSink wants a sink');
  const suite = new SinkSuite(options, plugin.plugin);
  describe(`${options.name} is a sound sink`, () => {
    acceptConfig({
      connector: plugin.plugin,
      withConfig: (body) => withFixture(options.setup, ({ config }) => body(config)),
      wrongConfigs: options.wrongConfigs ?? [],
    });
    suite.register();
  });
}

class SinkSuite {
  readonly #options: SinkAcceptance;
  readonly #connector: SinkConnector;

  constructor(options: SinkAcceptance, connector: SinkConnector) {
    this.#options = options;
    this.#connector = connector;
  }

  register(): void {
    test('what was put and flushed arrives in order', () => this.#arrives());
    test('records of several queues arrive, each queue in order', () => this.#arrivesFromQueues());
    test('records of two topics that a transform gave one name arrive, also after a kill', () =>
      this.#arrivesFromRenamed());
    test('records of a topic that was made anew arrive from its beginning', () => this.#arrivesAnew());
    test('stops when nothing was put', () => this.#harnessed(async (_, harness) => harness.stop()));
    test('a flush without records is harmless', () => this.#flushesNothing());
    test('an ordinary stop and start goes on where it was', () => this.#restarts());
    for (const point of KILL_POINTS) {
      test(`loses nothing when killed after it ${point}`, () => this.#survivesKill(point));
    }
    test('loses nothing when killed at each point in turn', () => this.#survivesKills());
    test('records that could not be written are written when they come again', (context) =>
      this.#survivesInterruption(context));
  }

  async #harnessed(
    body: (fixture: SinkFixture, harness: SinkHarness) => Promise<void>,
    options: SinkHarnessOptions = { queues: [{ topic: 'acceptance', queue: 0 }] },
  ): Promise<void> {
    await withFixture(this.#options.setup, (fixture) =>
      withHarness(
        new SinkHarness(this.#connector, fixture.config, options),
        this.#connector,
        fixture.config,
        (harness) => body(fixture, harness),
      ),
    );
  }

  #values(from: number, count: number): unknown[] {
    const value = this.#options.value ?? ((n: number) => `record ${n}`);
    return Array.from({ length: count }, (_, i) => value(from + i));
  }

  async #arrives(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const values = this.#values(0, 10);
      harness.append(0, values);
      while ((await harness.deliver(3)) > 0);
      harness.commit(await harness.flush());
      assert.deepEqual(await fixture.read(), values);
      assert.equal(harness.committed[0]?.offset, 10);
      await harness.stop();
      assert.deepEqual(await fixture.read(), values);
    });
  }

  async #arrivesFromQueues(): Promise<void> {
    await this.#harnessed(
      async (fixture, harness) => {
        const queues = [this.#values(0, 6), this.#values(100, 6), this.#values(200, 6)];
        queues.forEach((values, queue) => {
          harness.append(queue, values);
        });
        while ((await harness.deliver(2)) > 0);
        await harness.stop();
        const arrived = await fixture.read();
        assert.equal(arrived.length, 18);
        for (const values of queues) {
          const texts = new Set(values.map((value) => JSON.stringify(value)));
          assert.deepEqual(
            arrived.filter((value) => texts.has(JSON.stringify(value))),
            values,
          );
        }
      },
      { queues: [0, 1, 2].map((queue) => ({ topic: 'acceptance', queue })) },
    );
  }

  /** Both have a queue 0 with the same offsets: only their own topics tell them apart. */
  async #arrivesFromRenamed(): Promise<void> {
    const queues = ['acceptance-a', 'acceptance-b'].map((topic) => ({ topic, queue: 0 }));
    await this.#harnessed(
      async (fixture, harness) => {
        harness.append(0, this.#values(0, 6));
        harness.append(1, this.#values(6, 3));
        await harness.deliver(2);
        harness.commit(await harness.flush());
        await harness.deliver(2);
        await harness.flush();
        harness.kill();
        await harness.start();
        harness.append(1, this.#values(9, 3));
        await this.#finish(fixture, harness, 12, { ordered: false });
      },
      { queues, renamed: () => 'acceptance' },
    );
  }

  async #arrivesAnew(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      harness.append(0, this.#values(0, 6));
      while ((await harness.deliver(3)) > 0);
      await harness.stop();
      harness.renewTopics();
      await harness.start();
      harness.append(0, this.#values(6, 8));
      await this.#finish(fixture, harness, 14);
    });
  }

  async #flushesNothing(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      harness.commit(await harness.flush());
      harness.append(0, this.#values(0, 1));
      await harness.deliver();
      await harness.flush();
      harness.commit(await harness.flush());
      assert.deepEqual(await fixture.read(), this.#values(0, 1));
    });
  }

  async #restarts(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      for (let round = 0; round < 3; round += 1) {
        harness.append(0, this.#values(round * 4, 4));
        await harness.deliver();
        await harness.stop();
        await harness.start();
      }
      assert.deepEqual(await fixture.read(), this.#values(0, 12));
    });
  }

  async #survivesKill(point: KillPoint): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      for (let round = 0; round < 2; round += 1) {
        harness.append(0, this.#values(round * 8, 8));
        await runUntil(harness, point);
        harness.kill();
        await harness.start();
      }
      await this.#finish(fixture, harness, 16);
    });
  }

  async #survivesKills(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      for (const [round, point] of KILL_POINTS.entries()) {
        harness.append(0, this.#values(round * 8, 8));
        await runUntil(harness, point);
        harness.kill();
        await harness.start();
      }
      await this.#finish(fixture, harness, KILL_POINTS.length * 8);
    });
  }

  async #survivesInterruption(context: { skip(reason: string): void }): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      if (fixture.interrupt === undefined) {
        context.skip('the fixture has no interrupt()');
        return;
      }
      harness.append(0, this.#values(0, 4));
      await harness.deliver();
      harness.commit(await harness.flush());
      const repair = await fixture.interrupt();
      harness.append(0, this.#values(4, 4));
      await interrupted(async () => {
        await harness.deliver(2);
        await harness.flush();
      });
      await repair();
      await this.#finish(fixture, harness, 8);
    });
  }

  /** Delivers the rest and looks at what arrived in all. */
  async #finish(
    fixture: SinkFixture,
    harness: SinkHarness,
    count: number,
    { ordered } = { ordered: true },
  ): Promise<void> {
    while ((await harness.deliverRetrying(3)) > 0);
    await harness.stop();
    const arrived = await fixture.read();
    const expected = this.#values(0, count);
    if (this.#options.guarantee === 'exactly-once') {
      const byText = (values: readonly unknown[]): unknown[] =>
        ordered ? [...values] : values.map((value) => JSON.stringify(value)).sort();
      assert.deepEqual(byText(arrived), byText(expected));
      return;
    }
    const texts = new Set(arrived.map((value) => JSON.stringify(value)));
    assert.deepEqual(
      expected.filter((value) => !texts.has(JSON.stringify(value))),
      [],
      'lost',
    );
  }
}

async function runUntil(harness: SinkHarness, point: KillPoint): Promise<void> {
  if (point === 'started') return;
  await harness.deliver(2);
  if (point === 'put once') return;
  if (point === 'put twice') {
    await harness.deliver(2);
    return;
  }
  const flushed = await harness.flush();
  if (point === 'flushed') return;
  if (point === 'committed' || point === 'committed and put') harness.commit(flushed);
  if (point !== 'committed') await harness.deliver(2);
}
