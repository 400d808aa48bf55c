import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plugin, RawConfig, SourceConnector } from '../plugin.js';
import type { SourceRecord } from '../record.js';
import { acceptConfig, type Guarantee, type WrongConfig } from './accept-config.js';
import { leavesNothingOpen } from './open-resources.js';
import {
  aMoment,
  endsInTime,
  inside,
  interrupted,
  UNKNOWN_SIGNAL,
  unknownSignal,
  withFixture,
  withHarness,
} from './with-harness.js';
import { SourceHarness } from './source-harness.js';
import { acceptTransactions } from './accept-transactions.js';
import { valueText } from './value-text.js';

/** A source system of its own for one test. */
export interface SourceFixture {
  readonly config: RawConfig;
  /** Adds records to the source system: their values as the connector gives them, all different, in order. */
  produce(count: number): Promise<readonly unknown[]>;
  /** The same, in one transaction of the system: for a source that marks transactions. */
  produceTogether?(count: number): Promise<readonly unknown[]>;
  /** Makes the system unreadable in a way that passes; what it returns makes it readable again. */
  interrupt?(): Promise<() => Promise<void>>;
  cleanup?(): Promise<void>;
}

export interface SourceAcceptance {
  readonly name: string;
  readonly plugin: Plugin;
  readonly setup: () => Promise<SourceFixture>;
  /** exactly-once: a start from the durable positions repeats nothing. Default at-least-once. */
  readonly guarantee?: Guarantee;
  readonly wrongConfigs?: readonly WrongConfig[];
  /** Whether values come in the order they were produced. Default true. */
  readonly ordered?: boolean;
  /** Run the tests at the same time: quicker, as idle polls wait. Default false. */
  readonly parallel?: boolean;
}

const COUNT = 20;
const MAX_BUSY_POLLS = 1000;
const POLLS_UNTIL_REST = 2;
const DAY_MS = 86_400_000;

/** Registers the suite with node:test: `acceptSource({ name, plugin, setup })` in a test file is all it takes. */
export function acceptSource(options: SourceAcceptance): void {
  const { plugin } = options;
  assert.ok(plugin.type === 'source', 'acceptSource wants a source');
  const suite = new SourceSuite(options, plugin.plugin);
  describe(`${options.name} is a sound source`, { concurrency: options.parallel ?? false }, () => {
    acceptConfig({
      connector: plugin.plugin,
      withConfig: (body) => withFixture(options.setup, ({ config }) => body(config)),
      wrongConfigs: options.wrongConfigs ?? [],
    });
    suite.register();
  });
  // Alone in the process: what others have open would be taken for its own.
  describe(`${options.name} lets go of what it held`, { concurrency: false }, () => {
    test('leaves nothing open when it was stopped', () => suite.leavesNothingOpen());
  });
}

class SourceSuite {
  readonly #options: SourceAcceptance;
  readonly #connector: SourceConnector;

  constructor(options: SourceAcceptance, connector: SourceConnector) {
    this.#options = options;
    this.#connector = connector;
  }

  register(): void {
    test('gives what is there and what comes later', () => this.#givesAll(1));
    test('several tasks together give everything, and nothing twice', () => this.#givesAll(3));
    test('stops while it has never been polled', () => this.#harnessed(async (_, harness) => harness.stop()));
    for (const when of ['called', 'waiting'] as const) {
      test(`a poll that is ${when} returns when the task is asked to stop`, () =>
        this.#stopsDuringPoll(when));
    }
    test('a start under way ends when the task is asked to stop', (context) =>
      this.#stopsDuringStart(context));
    test('polling an idle source gives empty answers', () => this.#idles());
    test('an idle source waits before it answers that there is nothing', () => this.#waitsWhenIdle());
    for (const accepted of [0, 1, COUNT / 2, COUNT - 1, COUNT]) {
      test(`goes on after record ${accepted} when it was stopped`, () => this.#resumes(accepted, 'stop'));
      test(`goes on after record ${accepted} when it was killed`, () => this.#resumes(accepted, 'kill'));
    }
    test('goes on exactly when stopped again and again', () => this.#resumesOften());
    test('a signal of an unknown type is answered, and changes nothing', () => this.#survivesSignals());
    test('it goes on where records were left out', () => this.#goesOnAfterLeftOut());
    test('what it asks for in a rest is a time to come, and what came meanwhile is found', (context) =>
      this.#restsAndWakes(context));
    test('its own positions may be set and removed by hand', () => this.#takesOwnPositions());
    test('an interruption loses nothing', async (context) => this.#survivesInterruption(context));
    acceptTransactions((body) => this.#harnessed(body));
  }

  async #harnessed(
    body: (fixture: SourceFixture, harness: SourceHarness) => Promise<void>,
    maxTasks = 1,
  ): Promise<void> {
    await withFixture(this.#options.setup, (fixture) =>
      withHarness(new SourceHarness(this.#connector, fixture.config, { maxTasks }), (harness) =>
        body(fixture, harness),
      ),
    );
  }

  async #givesAll(maxTasks: number): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = [...(await fixture.produce(COUNT))];
      const records = await harness.collect(COUNT);
      await harness.accept(records);
      expected.push(...(await fixture.produce(COUNT)));
      const later = await harness.collect(COUNT);
      await harness.accept(later);
      this.#check([...records, ...later], expected, 'exactly-once');
      this.#checkPositions([...records, ...later]);
      await harness.stop();
    }, maxTasks);
  }

  async #stopsDuringPoll(when: 'called' | 'waiting'): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = await fixture.produce(1);
      const records = await harness.collect(1);
      this.#check(records, expected, 'exactly-once');
      await harness.accept(records);
      const polling = harness.poll();
      if (when === 'waiting') await aMoment(polling);
      await harness.stop(polling);
    });
  }

  async #stopsDuringStart(context: { skip(reason: string): void }): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      if (fixture.interrupt === undefined) {
        context.skip('the fixture has no interrupt()');
        return;
      }
      await harness.stop();
      const repair = await fixture.interrupt();
      const starting = harness.start();
      await inside(starting, () => harness.taskCount > 0);
      await endsInTime(() => harness.stop(starting));
      await repair();
      const expected = await fixture.produce(1);
      await harness.start();
      this.#check(await harness.collect(1), expected, 'exactly-once');
    });
  }

  async #idles(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = await fixture.produce(1);
      const records = await harness.collect(1);
      await harness.accept(records);
      const more = [...(await harness.poll()), ...(await harness.poll())];
      this.#check([...records, ...more], expected, 'exactly-once');
    });
  }

  /** One that answers at once never lets a macrotask run, however slow the machine is. */
  async #waitsWhenIdle(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      await fixture.produce(1);
      await harness.accept(await harness.collect(1));
      let waited = false;
      setImmediate(() => {
        waited = true;
      });
      for (let empty = 0; !waited; empty += 1) {
        await harness.poll();
        assert.ok(
          empty < MAX_BUSY_POLLS,
          `${MAX_BUSY_POLLS} polls found nothing, and none waited for anything`,
        );
      }
    });
  }

  async leavesNothingOpen(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      await harness.stop();
      await leavesNothingOpen(async () => {
        await harness.start();
        await fixture.produce(1);
        await harness.accept(await harness.collect(1));
        await harness.poll();
        await harness.stop();
      });
    });
  }

  async #resumes(accepted: number, end: 'stop' | 'kill'): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = [...(await fixture.produce(COUNT))];
      const kept = await harness.accept((await harness.collect(COUNT)).slice(0, accepted));
      if (end === 'stop') await harness.stop();
      else harness.kill();
      expected.push(...(await fixture.produce(2)));
      await harness.start();
      const rest = await this.#collectAll(harness, expected, kept);
      this.#check([...kept, ...rest], expected, this.#options.guarantee ?? 'at-least-once');
    });
  }

  async #resumesOften(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected: unknown[] = [];
      const kept: SourceRecord[] = [];
      for (let round = 0; round < 5; round += 1) {
        expected.push(...(await fixture.produce(3)));
        const polled = await harness.collect(1);
        const taken = polled.slice(0, 1 + (round % polled.length));
        kept.push(...(await harness.accept(taken)));
        await harness.stop();
        await harness.start();
      }
      kept.push(...(await this.#collectAll(harness, expected, kept)));
      this.#check(kept, expected, this.#options.guarantee ?? 'at-least-once');
    });
  }

  async #takesOwnPositions(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      await fixture.produce(COUNT);
      await harness.accept(await harness.collect(COUNT));
      const { positions } = harness;
      await harness.stop();
      await harness.checkPositions(positions);
      await harness.checkPositions(positions.map(({ partition }) => ({ partition, position: null })));
    });
  }

  /** By a transform, or as bad ones: their positions count all the same. */
  async #goesOnAfterLeftOut(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = [...(await fixture.produce(COUNT))];
      const records = await harness.collect(COUNT);
      await harness.accept(records, { leftOut: records.filter((_, at) => at % 2 === 0) });
      await harness.stop();
      await harness.start();
      expected.push(...(await fixture.produce(COUNT)));
      records.push(...(await this.#collectAll(harness, expected, records)));
      this.#check(records, expected, this.#options.guarantee ?? 'at-least-once');
    });
  }

  /** It is stopped then, and started when that time has come. */
  async #restsAndWakes(context: { skip(reason: string): void }): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = [...(await fixture.produce(COUNT))];
      const records = await harness.collect(COUNT);
      await harness.accept(records);
      const since = Date.now();
      for (let polls = 0; harness.rests.length === 0 && polls < POLLS_UNTIL_REST; polls += 1)
        records.push(...(await harness.poll()));
      if (harness.rests.length === 0) {
        context.skip('it does not call context.rest');
        return;
      }
      for (const until of harness.rests) {
        const isPast = until !== null && until < since - DAY_MS;
        assert.ok(!isPast, `rest(${until}) is long past: it takes milliseconds since 1970`);
      }
      await harness.stop();
      expected.push(...(await fixture.produce(COUNT)));
      await harness.start();
      records.push(...(await this.#collectAll(harness, expected, records)));
      this.#check(records, expected, this.#options.guarantee ?? 'at-least-once');
    });
  }

  async #survivesSignals(): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      const expected = [...(await fixture.produce(2))];
      await unknownSignal(() => harness.signal(UNKNOWN_SIGNAL));
      const records = await harness.collect(2);
      await harness.accept(records);
      // It may come again.
      for (let i = 0; i < 2; i += 1)
        await unknownSignal(() => harness.signal(UNKNOWN_SIGNAL, { depth: [1] }, 'the-same'));
      expected.push(...(await fixture.produce(2)));
      records.push(...(await harness.collect(2)));
      this.#check(records, expected, 'exactly-once');
      await harness.stop();
    });
  }

  async #survivesInterruption(context: { skip(reason: string): void }): Promise<void> {
    await this.#harnessed(async (fixture, harness) => {
      if (fixture.interrupt === undefined) {
        context.skip('the fixture has no interrupt()');
        return;
      }
      const expected = [...(await fixture.produce(COUNT))];
      const records = await harness.collect(COUNT);
      await harness.accept(records);
      await harness.stop();
      const repair = await fixture.interrupt();
      await interrupted(async () => {
        await harness.start();
        await harness.poll();
      });
      await repair();
      harness.kill();
      await harness.start();
      expected.push(...(await fixture.produce(2)));
      records.push(...(await this.#collectAll(harness, expected, records)));
      this.#check(records, expected, this.#options.guarantee ?? 'at-least-once');
    });
  }

  /** Until every expected value was seen, and one poll more to see whether anything follows. */
  async #collectAll(
    harness: SourceHarness,
    expected: readonly unknown[],
    kept: readonly SourceRecord[],
  ): Promise<SourceRecord[]> {
    const missing = new Set(expected.map((value) => valueText(value)));
    for (const { value } of kept) missing.delete(valueText(value));
    const records: SourceRecord[] = [];
    while (missing.size > 0) {
      const more = await harness.collect(1);
      for (const { value } of more) missing.delete(valueText(value));
      records.push(...more);
    }
    return [...records, ...(await harness.poll())];
  }

  #check(records: readonly SourceRecord[], expected: readonly unknown[], guarantee: Guarantee): void {
    const values = records.map(({ value }) => value);
    const wanted = [...expected];
    const got = guarantee === 'exactly-once' ? values : firstOfEach(values);
    if (this.#options.ordered === false) {
      const byText = (a: unknown, b: unknown): number => (valueText(a) < valueText(b) ? -1 : 1);
      got.sort(byText);
      wanted.sort(byText);
    }
    assert.deepEqual(got, wanted);
  }

  /** What is kept as JSON must come back as it was. */
  #checkPositions(records: readonly SourceRecord[]): void {
    for (const { sourcePartition, sourcePosition } of records) {
      for (const item of [sourcePartition, sourcePosition]) {
        assert.deepEqual(JSON.parse(JSON.stringify(item)), structuredClone(item));
      }
    }
  }
}

function firstOfEach(values: readonly unknown[]): unknown[] {
  return [...new Map([...values].reverse().map((value) => [valueText(value), value])).values()].reverse();
}
