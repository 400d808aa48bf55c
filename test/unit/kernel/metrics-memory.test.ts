import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_METRICS_BYTES } from '#troupe/actors/kernel/metrics-chunk.js';
import { MetricsReader } from '#troupe/actors/kernel/metrics-reader.js';
import { MetricsWriter } from '#troupe/actors/kernel/metrics-writer.js';
import type { TaskMetrics } from '#troupe/sdk/index.js';

/** The memory of one actor, as the supervisor keeps it over its threads. */
class Actor {
  readonly chunks: SharedArrayBuffer[] = [];
  life = 0;
  ignored = 0;
  full: string | null = null;
  readonly #reader = new MetricsReader();

  begin(maxBytes = MAX_METRICS_BYTES): TaskMetrics {
    this.life += 1;
    const memory = { life: this.life, chunks: [...this.chunks] };
    return new MetricsWriter(memory, (chunk) => this.chunks.push(chunk)).registry({
      prefix: 'p_',
      maxBytes,
      onIgnored: () => (this.ignored += 1),
      onFull: (message) => (this.full = message),
    });
  }

  /** By name and label values. */
  read(): Record<string, readonly number[]> {
    this.#reader.add(this.chunks);
    return Object.fromEntries(
      this.#reader
        .metrics()
        .flatMap(({ metric, series }) =>
          series
            .filter((each) => metric.type !== 'gauge' || each.isSet)
            .map((each) => [[metric.name, ...each.values].join(' '), each.read()]),
        ),
    );
  }

  /** Names that the newest thread has registered. */
  current(): readonly string[] {
    this.#reader.add(this.chunks);
    const { life } = this;
    return this.#reader
      .metrics()
      .filter((metric) => metric.life === life)
      .map(({ metric }) => metric.name);
  }
}

const rows = { name: 'rows_total', help: 'Rows.', labels: ['table'] } as const;
const lag = { name: 'lag_seconds', help: 'Lag.' };
const took = { name: 'took_seconds', help: 'Time.', buckets: [1, 10] };

test('the next thread of an actor goes on with its counters, and its gauges are gone', () => {
  const actor = new Actor();
  const first = actor.begin();
  first.counter(rows).with({ table: 'a' }).add(3);
  first.gauge(lag).set(7);
  first.histogram(took).observe(5);
  assert.deepEqual(actor.read(), { 'p_rows_total a': [3], p_lag_seconds: [7], p_took_seconds: [0, 1, 0, 5] });

  const second = actor.begin();
  assert.deepEqual(actor.current(), []);
  assert.deepEqual(actor.read(), { 'p_rows_total a': [3], p_took_seconds: [0, 1, 0, 5] });
  second.counter(rows).with({ table: 'a' }).add();
  second.counter(rows).with({ table: 'b' }).add();
  second.histogram(took).observe(0.5);
  second.gauge(lag).add(-2);
  assert.deepEqual(actor.read(), {
    'p_rows_total a': [4],
    'p_rows_total b': [1],
    p_lag_seconds: [-2],
    p_took_seconds: [1, 1, 0, 5.5],
  });
  assert.deepEqual(
    actor.current(),
    ['p_rows_total', 'p_lag_seconds', 'p_took_seconds'].toSorted(order(actor)),
  );
});

/** As they stand in the memory. */
function order(actor: Actor): (a: string, b: string) => number {
  const names = actor.current();
  return (a, b) => names.indexOf(a) - names.indexOf(b);
}

test('a metric that comes back in another shape begins anew', () => {
  const actor = new Actor();
  actor.begin().counter(rows).with({ table: 'a' }).add(3);
  actor
    .begin()
    .counter({ ...rows, labels: ['schema'] })
    .with({ schema: 's' })
    .add(1);
  assert.deepEqual(actor.read(), { 'p_rows_total s': [1] });
  assert.deepEqual(actor.current(), ['p_rows_total']);
});

test('a thread that dies while it adds a metric has added none, and the next one finds room', () => {
  const actor = new Actor();
  actor.begin().counter({ name: 'a_total', help: 'A.' }).add(2);
  const [chunk] = actor.chunks;
  assert.ok(chunk !== undefined);
  // Half of a line behind the end of the text.
  const end = 4 + (new Int32Array(chunk)[0] ?? 0);
  new Uint8Array(chunk, end, 9).set(Buffer.from('[2030,"co'));
  assert.deepEqual(actor.read(), { p_a_total: [2] });
  const next = actor.begin();
  next.counter({ name: 'b_total', help: 'B.' }).add(5);
  next.counter({ name: 'a_total', help: 'A.' }).add(1);
  assert.deepEqual(actor.read(), { p_a_total: [3], p_b_total: [5] });
});

test('a task has 1,000 lines, over its restarts as well; beyond them nothing is counted, and that is said once', () => {
  const actor = new Actor();
  const count = (metrics: TaskMetrics, from: number, to: number): void => {
    const counter = metrics.counter(rows);
    for (let i = from; i < to; i += 1) counter.with({ table: i }).add();
  };
  count(actor.begin(), 0, 995);
  assert.equal(actor.full, null);
  const next = actor.begin();
  count(next, 0, 995);
  next.histogram({ ...took, buckets: [1, 2] }).observe(1);
  assert.equal(actor.full, null);
  count(next, 995, 1200);
  assert.match(String(actor.full), /more than 1000 lines.*rows_total/);
  assert.equal(actor.ignored, 205);
  assert.equal(Object.keys(actor.read()).length, 996);
});

test('texts of any length stay within the memory', () => {
  const actor = new Actor();
  const counter = actor.begin(20_000).counter(rows);
  // Each of them becomes six bytes.
  for (let i = 0; i < 100; i += 1) counter.with({ table: `${i}${'\u0001'.repeat(500)}` }).add();
  assert.match(String(actor.full), /texts that are too long/);
  assert.ok(actor.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) <= 20_000);
  assert.equal(
    Object.values(actor.read()).every(([count]) => count === 1),
    true,
  );
});

test('what was added in any order, by any number of threads, is what is read', () => {
  const names = fc.constantFrom('a_total', 'b_total', 'c_total');
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 8, arbitrary: fc.record({ name: names, table: fc.string({ maxLength: 3 }), by: fc.nat(1e9) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const actor = new Actor();
      let metrics = actor.begin();
      const model = new Map<string, number>();
      for (const each of steps) {
        if (each === 'restart') metrics = actor.begin();
        else {
          const { name, table, by } = each;
          metrics
            .counter({ name, help: 'Any.', labels: ['table'] })
            .with({ table })
            .add(by);
          const key = `p_${name} ${table}`;
          model.set(key, (model.get(key) ?? 0) + by);
        }
      }
      const read = Object.entries(actor.read()).map(([key, [value]]) => [key, value]);
      assert.deepEqual(read.sort(), [...model].sort());
    }),
  );
});

test('what stands in the memory and is no metric is passed over', () => {
  const actor = new Actor();
  actor.begin().counter({ name: 'a_total', help: 'A.' }).add(2);
  const [chunk] = actor.chunks;
  assert.ok(chunk !== undefined);
  const words = new Int32Array(chunk);
  const end = words[0] ?? 0;
  const rest = [
    '{"',
    '[0,"counter","x","",[],[]]',
    '[9999999,0,[]]',
    '[8,7,["s"]]',
    '[8,"sum","x","",[],[]]',
    '7',
  ];
  const text = Buffer.from(`${rest.join('\n')}\n`);
  new Uint8Array(chunk).set(text, 4 + end);
  words[0] = end + text.length;
  assert.deepEqual(actor.read(), { p_a_total: [2] });
  actor.begin().counter({ name: 'a_total', help: 'A.' }).add(1);
  assert.deepEqual(actor.read(), { p_a_total: [3] });
});
