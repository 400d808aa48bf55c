import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { acceptConfig } from './accept-config.js';
import { leavesNothingOpen } from './open-resources.js';
import { SinkBench, type SinkAcceptance } from './sink-bench.js';
import type { SinkHarness } from './sink-harness.js';
import { registerSinkTroubles } from './sink-troubles.js';
import { valueText } from './value-text.js';
import { withFixture } from './with-harness.js';

export type { SinkAcceptance, SinkFixture } from './sink-bench.js';

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
  const bench = new SinkBench(options, plugin.plugin);
  describe(`${options.name} is a sound sink`, () => {
    acceptConfig({
      connector: plugin.plugin,
      withConfig: (body) => withFixture(options.setup, ({ config }) => body(config)),
      wrongConfigs: options.wrongConfigs ?? [],
    });
    new SinkSuite(bench).register();
    registerSinkTroubles(bench);
    test('leaves nothing open when it was stopped', () => stopsWhole(bench));
  });
}

class SinkSuite {
  readonly #bench: SinkBench;

  constructor(bench: SinkBench) {
    this.#bench = bench;
  }

  register(): void {
    test('what was put and flushed arrives in order', () => this.#arrives());
    test('records of several queues arrive, each queue in order', () => this.#arrivesFromQueues());
    test('records of two topics that a transform gave one name arrive, also after a kill', () =>
      this.#arrivesFromRenamed());
    test('records of a topic that was made anew arrive from its beginning', () => this.#arrivesAnew());
    test('records of queues and topics that come while it runs arrive', () => this.#arrivesFromComing());
    for (const end of ['goes on', 'is killed'] as const)
      test(`records of a topic that is made anew while it runs arrive from its beginning, where it ${end}`, () =>
        this.#arrivesAnewWhileRunning(end));
    test('records of other topics arrive when one is deleted', () => this.#arrivesWithoutDeleted());
    test('stops when nothing was put', () => this.#bench.harnessed(async (_, harness) => harness.stop()));
    test('one that may give up its thread goes on where it was, with and without a stop in between', () =>
      this.#restsAndWakes());
    test('a flush without records is harmless', () => this.#flushesNothing());
    test('an ordinary stop and start goes on where it was', () => this.#restarts());
    for (const point of KILL_POINTS) {
      test(`loses nothing when killed after it ${point}`, () => this.#survivesKill(point));
    }
    test('loses nothing when killed at each point in turn', () => this.#survivesKills());
  }

  async #arrives(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      const values = this.#bench.append(harness, 0, 0, 10);
      while ((await harness.deliver(3)) > 0);
      harness.commit(await harness.flush());
      assert.deepEqual(await fixture.read(), values);
      assert.equal(harness.committed[0]?.offset, 10);
      await harness.stop();
      assert.deepEqual(await fixture.read(), values);
    });
  }

  async #arrivesFromQueues(): Promise<void> {
    await this.#bench.harnessed(
      async (fixture, harness) => {
        const queues = [0, 1, 2].map((queue) => this.#bench.append(harness, queue, queue * 100, 6));
        while ((await harness.deliver(2)) > 0);
        await harness.stop();
        const arrived = await fixture.read();
        assert.equal(arrived.length, 18);
        for (const values of queues) {
          const texts = new Set(values.map((value) => valueText(value)));
          assert.deepEqual(
            arrived.filter((value) => texts.has(valueText(value))),
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
    await this.#bench.harnessed(
      async (fixture, harness) => {
        this.#bench.append(harness, 0, 0, 6);
        this.#bench.append(harness, 1, 6, 3);
        await harness.deliver(2);
        harness.commit(await harness.flush());
        await harness.deliver(2);
        await harness.flush();
        harness.kill();
        await harness.start();
        this.#bench.append(harness, 1, 9, 3);
        await this.#bench.finish(fixture, harness, 12, { ordered: false });
      },
      { queues, renamed: () => 'acceptance' },
    );
  }

  async #arrivesAnew(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      this.#bench.append(harness, 0, 0, 6);
      while ((await harness.deliver(3)) > 0);
      await harness.stop();
      harness.renewTopics();
      await harness.start();
      this.#bench.append(harness, 0, 6, 8);
      await this.#bench.finish(fixture, harness, 14);
    });
  }

  async #arrivesFromComing(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      this.#bench.append(harness, 0, 0, 4);
      await harness.deliver(2);
      await harness.addQueue({ topic: 'acceptance', queue: 1 });
      this.#bench.append(harness, 1, 4, 4);
      await harness.deliver(2);
      await harness.addQueue({ topic: 'acceptance-b', queue: 0 });
      this.#bench.append(harness, 2, 8, 4);
      await this.#bench.finish(fixture, harness, 12, { ordered: false });
    });
  }

  /** What was put of the old one is not flushed then. */
  async #arrivesAnewWhileRunning(end: 'goes on' | 'is killed'): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      this.#bench.append(harness, 0, 0, 4);
      while ((await harness.deliver(3)) > 0);
      await harness.remakeTopic('acceptance');
      this.#bench.append(harness, 0, 4, 8);
      await harness.deliver(2);
      if (end === 'is killed') {
        harness.kill();
        await harness.start();
      }
      await this.#bench.finish(fixture, harness, 12);
    });
  }

  async #arrivesWithoutDeleted(): Promise<void> {
    const queues = ['acceptance-a', 'acceptance-b'].map((topic) => ({ topic, queue: 0 }));
    await this.#bench.harnessed(
      async (fixture, harness) => {
        this.#bench.append(harness, 0, 0, 4);
        this.#bench.append(harness, 1, 4, 4);
        while ((await harness.deliver(2)) > 0);
        await harness.deleteTopic('acceptance-a');
        this.#bench.append(harness, 0, 8, 4);
        await this.#bench.finish(fixture, harness, 12, { ordered: false });
      },
      { queues },
    );
  }

  async #flushesNothing(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      harness.commit(await harness.flush());
      this.#bench.append(harness, 0, 0, 1);
      await harness.deliver();
      await harness.flush();
      harness.commit(await harness.flush());
      assert.deepEqual(await fixture.read(), this.#bench.values(0, 1));
    });
  }

  /** A record may come after it was asked, and it is not stopped then. */
  async #restsAndWakes(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      await harness.mayPassivate();
      for (let round = 0; round < 4; round += 1) {
        this.#bench.append(harness, 0, round * 3, 3);
        while ((await harness.deliver(2)) > 0);
        harness.commit(await harness.flush());
        if (!(await harness.mayPassivate()) || round % 2 === 0) continue;
        await harness.stop();
        await harness.start();
      }
      await this.#bench.finish(fixture, harness, 12);
    });
  }

  async #restarts(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      for (let round = 0; round < 3; round += 1) {
        this.#bench.append(harness, 0, round * 4, 4);
        await harness.deliver();
        await harness.stop();
        await harness.start();
      }
      assert.deepEqual(await fixture.read(), this.#bench.values(0, 12));
    });
  }

  async #survivesKill(point: KillPoint): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      for (let round = 0; round < 2; round += 1) {
        this.#bench.append(harness, 0, round * 8, 8);
        await runUntil(harness, point);
        harness.kill();
        await harness.start();
      }
      await this.#bench.finish(fixture, harness, 16);
    });
  }

  async #survivesKills(): Promise<void> {
    await this.#bench.harnessed(async (fixture, harness) => {
      for (const [round, point] of KILL_POINTS.entries()) {
        this.#bench.append(harness, 0, round * 8, 8);
        await runUntil(harness, point);
        harness.kill();
        await harness.start();
      }
      await this.#bench.finish(fixture, harness, KILL_POINTS.length * 8);
    });
  }
}

async function stopsWhole(bench: SinkBench): Promise<void> {
  await bench.harnessed(async (_, harness) => {
    await harness.stop();
    await leavesNothingOpen(async () => {
      await harness.start();
      bench.append(harness, 0, 0, 1);
      await harness.deliver();
      await harness.stop();
    });
  });
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
