/** What the tests of the acceptance suite for sinks start from. */
import assert from 'node:assert/strict';
import type { Plugin, RawConfig, SchemaAndValue, SinkConnector } from '../plugin.js';
import type { Schema } from '../schema.js';
import type { Guarantee, WrongConfig } from './accept-config.js';
import { SinkHarness, type SinkHarnessOptions } from './sink-harness.js';
import { valueText } from './value-text.js';
import { withFixture, withHarness } from './with-harness.js';

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
  /** The schema of all values. Default: none. */
  readonly valueSchema?: Schema;
  /** The key of record number `n`, different for each: for a sink that wants keys, as one that upserts. Default: none. */
  readonly key?: (n: number) => SchemaAndValue;
}

export class SinkBench {
  readonly #options: SinkAcceptance;
  readonly #connector: SinkConnector;

  constructor(options: SinkAcceptance, connector: SinkConnector) {
    this.#options = options;
    this.#connector = connector;
  }

  /** `body` is given a sink that was started. */
  async harnessed(
    body: (fixture: SinkFixture, harness: SinkHarness) => Promise<void>,
    options: SinkHarnessOptions = { queues: [{ topic: 'acceptance', queue: 0 }] },
  ): Promise<void> {
    await withFixture(this.#options.setup, (fixture) =>
      withHarness(new SinkHarness(this.#connector, fixture.config, options), (harness) =>
        body(fixture, harness),
      ),
    );
  }

  values(from: number, count: number): unknown[] {
    const value = this.#options.value ?? ((n: number) => `record ${n}`);
    return Array.from({ length: count }, (_, i) => value(from + i));
  }

  /** Puts records number `from` to `from + count - 1` at the end of a queue; answers their values. */
  append(harness: SinkHarness, queue: number, from: number, count: number): unknown[] {
    const { valueSchema = null, key } = this.#options;
    const values = this.values(from, count);
    const records = values.map((value, i) => {
      const { schema: keySchema = null, value: ofKey = null } = key?.(from + i) ?? {};
      return { value, valueSchema, key: ofKey, keySchema };
    });
    harness.appendRecords(queue, records);
    return values;
  }

  /** Delivers the rest and looks at what arrived in all. */
  async finish(
    fixture: SinkFixture,
    harness: SinkHarness,
    count: number,
    { ordered } = { ordered: true },
  ): Promise<void> {
    while ((await harness.deliverRetrying(3)) > 0);
    await harness.stop();
    this.#check(await fixture.read(), this.values(0, count), ordered);
  }

  /** Looks at those of the values that arrived: others may be between them. */
  async finishAmong(fixture: SinkFixture, harness: SinkHarness, expected: readonly unknown[]): Promise<void> {
    await harness.stop();
    const texts = new Set(expected.map((value) => valueText(value)));
    const arrived = (await fixture.read()).filter((value) => texts.has(valueText(value)));
    this.#check(arrived, expected, true);
  }

  #check(arrived: readonly unknown[], expected: readonly unknown[], ordered: boolean): void {
    if (this.#options.guarantee === 'exactly-once') {
      const byText = (values: readonly unknown[]): unknown[] =>
        ordered ? [...values] : values.map((value) => valueText(value)).sort();
      assert.deepEqual(byText(arrived), byText(expected));
      return;
    }
    const texts = new Set(arrived.map((value) => valueText(value)));
    assert.deepEqual(
      expected.filter((value) => !texts.has(valueText(value))),
      [],
      'lost',
    );
  }
}
