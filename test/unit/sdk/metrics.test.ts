import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectError, type TaskMetrics } from '#troupe/sdk/index.js';
import { RecordedMetrics } from '#troupe/sdk/testing/index.js';

const help = 'What it is.';

function begin(): { recorded: RecordedMetrics; metrics: TaskMetrics } {
  const recorded = new RecordedMetrics();
  return { recorded, metrics: recorded.begin() };
}

const WRONG: readonly (readonly [what: string, options: object, said: RegExp, type?: keyof TaskMetrics])[] = [
  ['no name', { help }, /counter: its name must be small letters/],
  ['a name with capitals', { name: 'rowsRead_total', help }, /rowsRead_total: its name must be/],
  ['a long name', { name: `${'a'.repeat(60)}_total`, help }, /at most 60/],
  ['a counter without _total', { name: 'rows', help }, /must end in _total/],
  ['a gauge with _total', { name: 'rows_total', help }, /only the name of a counter/, 'gauge'],
  ['a name that a histogram has', { name: 'rows_count', help }, /no name may end in _count/, 'gauge'],
  ['no help', { name: 'rows_total' }, /its help must be a sentence/],
  ['a label of the runtime', { name: 'rows_total', help, labels: ['task'] }, /its labels must be/],
  ['a label twice', { name: 'rows_total', help, labels: ['a', 'a'] }, /its labels must be/],
  ['labels that are no list', { name: 'rows_total', help, labels: 'table' }, /its labels must be/],
  ['buckets of a counter', { name: 'rows_total', help, buckets: [1] }, /only a histogram has buckets/],
  ['buckets that go down', { name: 'rows', help, buckets: [2, 1] }, /its buckets must be/, 'histogram'],
  ['an endless bucket', { name: 'rows', help, buckets: [1, Infinity] }, /its buckets must be/, 'histogram'],
];

for (const [what, options, said, type = 'counter'] of WRONG)
  test(`${what} is refused when it is registered`, () => {
    const { metrics } = begin();
    // As a plugin in JavaScript may call it.
    const loose = metrics as unknown as Record<keyof TaskMetrics, (given: object) => unknown>;
    assert.throws(
      () => loose[type](options),
      (error) => error instanceof ConnectError && error.code === 'METRIC_INVALID' && said.test(error.message),
    );
  });

test('the same metric registered twice is one; the same name in another shape is refused', () => {
  const { recorded, metrics } = begin();
  const options = { name: 'rows_total', help, labels: ['table'] } as const;
  metrics.counter(options).with({ table: 'a' }).add();
  metrics
    .counter({ ...options, help: 'Said better.' })
    .with({ table: 'a' })
    .add();
  assert.equal(recorded.value('rows_total', { table: 'a' }), 2);
  const conflicts = [
    () => metrics.counter({ name: 'rows_total', help }),
    // OpenMetrics has one name for both.
    () => metrics.gauge({ name: 'rows', help }),
    () => metrics.histogram({ name: 'rows', help }),
  ];
  for (const conflict of conflicts)
    assert.throws(conflict, {
      code: 'METRIC_CONFLICT',
      message: /there is a counter rows_total, labels table/,
    });
});

test('what cannot be counted is ignored, and never an error where records pass', () => {
  const { recorded, metrics } = begin();
  const counter = metrics.counter({ name: 'rows_total', help, labels: ['table'] });
  const gauge = metrics.gauge({ name: 'lag_seconds', help });
  const histogram = metrics.histogram({ name: 'took_seconds', help });
  const a = counter.with({ table: 'a' });
  for (const value of [NaN, -1, Infinity, '1', null, {}, 1n]) a.add(value as number);
  for (const value of [NaN, -Infinity, '1', undefined]) gauge.set(value as number);
  histogram.observe(NaN);
  for (const values of [{}, { table: null }, null, 'a', { Table: 'a' }])
    counter.with(values as unknown as { table: string }).add();
  assert.equal(recorded.ignored, 7 + 4 + 1 + 5);
  a.add(2);
  a.add();
  gauge.add(-3);
  assert.equal(recorded.value('rows_total', { table: 'a' }), 3);
  assert.equal(recorded.value('lag_seconds'), -3);
  assert.equal(recorded.value('took_seconds'), 0);
  assert.equal(recorded.value('none'), null);
});

test('a histogram counts a value up to and including the bound of its bucket', () => {
  const { recorded, metrics } = begin();
  const histogram = metrics.histogram({ name: 'took_seconds', help, buckets: [1, 2.5] });
  for (const value of [-1, 1, 1.1, 2.5, 3]) histogram.observe(value);
  const [series] = recorded.all[0]?.series ?? [];
  assert.deepEqual(series, { labels: {}, value: 5, buckets: [2, 4, 5], sum: 6.6 });
});

test('label values are cut, and halves of characters replaced, so that no two lines are the same', () => {
  const { recorded, metrics } = begin();
  const counter = metrics.counter({ name: 'rows_total', help, labels: ['table'] });
  for (const table of ['\ud800', '\udfff', `${'x'.repeat(128)}1`, `${'x'.repeat(128)}2`, 7, '7'])
    counter.with({ table }).add();
  const tables = recorded.all[0]?.series.map(({ labels, value }) => [labels['table'], value]);
  assert.deepEqual(tables, [
    ['\ufffd', 2],
    ['x'.repeat(128), 2],
    ['7', 2],
  ]);
});

test('in a harness totals outlive a kill, and gauges do not', () => {
  const recorded = new RecordedMetrics();
  for (let life = 1; life <= 2; life += 1) {
    const metrics = recorded.begin();
    metrics.counter({ name: 'rows_total', help }).add(2);
    const gauge = metrics.gauge({ name: 'lag_seconds', help });
    assert.equal(recorded.value('lag_seconds'), null);
    gauge.set(life);
  }
  assert.equal(recorded.value('rows_total'), 4);
  assert.equal(recorded.value('lag_seconds'), 2);
});
