import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkConverted,
  checkIssues,
  checkPlan,
  checkSerialised,
  checkTask,
  checkTested,
  checkTransformed,
  PolledRecords,
} from '#troupe/plugins/plugin-returns.js';
import { checkNote, checkPosition, checkProgress } from '#troupe/plugins/plugin-words.js';
import { SchemaBuilder, sourceRecord, STRING_SCHEMA } from '#troupe/sdk/index.js';

const good = sourceRecord({
  value: 'v',
  valueSchema: STRING_SCHEMA,
  headers: [{ key: 'h', schema: null, value: 1 }],
  sourcePartition: { file: 'a', parts: [1, null] },
  sourcePosition: { at: 1, in: { deep: true } },
});

/** TypeScript would not let these through; plugins in JavaScript do. */
const anything = (value: unknown): never => value as never;

test('a good poll passes, and none at all may be null', () => {
  const polled = new PolledRecords('c');
  assert.deepEqual(polled.check([good, good]), [good, good]);
  assert.deepEqual(polled.check(null), []);
  assert.deepEqual(polled.check(undefined), []);
});

const itself: Record<string, unknown> = {};
itself['self'] = itself;

test('an object in positions that was good in one poll is looked at again in the next', () => {
  const polled = new PolledRecords('c');
  const shared: Record<string, unknown> = { inode: 7 };
  const poll = [1, 2].map((at) => ({ ...good, sourcePosition: { at, file: shared } }));
  assert.equal(polled.check(poll).length, 2);
  shared['inode'] = 7n;
  assert.throws(() => polled.check(poll), /\[0\]\.sourcePosition/);
});

const BAD_POLLS: readonly (readonly [what: string, polled: unknown, message: RegExp])[] = [
  ['a single record', good, /poll: it must be an array of records, or null, not an object/],
  ['a text', [good, 'x'], /poll, at \[1\]: it must be a record, not text "x"/],
  ['no position', [{ ...good, sourcePosition: undefined }], /\[0\]\.sourcePosition: .*JSON.*not undefined/],
  ['a position without a number', [{ ...good, sourcePosition: { at: NaN } }], /\[0\]\.sourcePosition/],
  ['a position with a bigint', [{ ...good, sourcePosition: { at: 1n } }], /\[0\]\.sourcePosition/],
  ['a position with nothing in it', [{ ...good, sourcePosition: { at: [undefined] } }], /sourcePosition/],
  [
    'another object in a position than the good one before',
    [good, { ...good, sourcePosition: { at: 1, in: { deep: undefined } } }],
    /\[1\]\.sourcePosition/,
  ],
  ['a position with a Date', [{ ...good, sourcePosition: { at: new Date(0) } }], /sourcePosition/],
  ['a position that holds itself', [{ ...good, sourcePosition: itself }], /sourcePosition/],
  [
    'a text as partition',
    [good, { ...good, sourcePartition: 'a.log' }],
    /\[1\]\.sourcePartition.*text "a\.log"/,
  ],
  ['a number as topic', [{ ...good, topic: 5 }], /\[0\]\.topic: it must be a text, or null.*number 5/],
  ['a Date as timestamp', [{ ...good, timestamp: new Date(0) }], /\[0\]\.timestamp: .*milliseconds/],
  ['half a queue', [{ ...good, queue: 0.5 }], /\[0\]\.queue/],
  [
    'a schema that was not built',
    [{ ...good, valueSchema: SchemaBuilder.struct() }],
    /valueSchema.*build\(\)/,
  ],
  ['headers as an object', [{ ...good, headers: { a: 1 } }], /\[0\]\.headers/],
  ['a header without a key', [{ ...good, headers: [{ value: 1 }] }], /\[0\]\.headers/],
];

for (const [what, polled, message] of BAD_POLLS)
  test(`a poll that returns ${what} is told with connector, method, field and what is allowed`, () => {
    assert.throws(
      () => new PolledRecords('orders').check(polled),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'PLUGIN_CONTRACT');
        assert.match(error.message, /the connector orders returned the wrong thing from poll/);
        assert.match(error.message, message);
        return true;
      },
    );
  });

test('what transforms, predicates and converters return is told the same way, as a bad record', () => {
  checkTransformed(good);
  checkTransformed(null);
  assert.equal(checkTested(false), false);
  assert.equal(checkSerialised('key', null), null);
  checkConverted('value', { schema: null, value: undefined });
  for (const [body, message] of [
    [() => checkTransformed(undefined), /apply: it must be a record, or null to drop it, not undefined/],
    [() => checkTransformed(Promise.resolve(good)), /not by a Promise/],
    [() => checkTransformed({ ...good, topic: 1 }), /apply, at \.topic/],
    [() => checkTested(anything(undefined)), /test: it must be true or false, not undefined/],
    [
      () => checkSerialised('key', anything(5)),
      /key\.converter .*fromConnectData: it must be bytes, a text or null/,
    ],
    [
      () => checkConverted('value', anything('x')),
      /value\.converter .*toConnectData: it must be { schema, value }/,
    ],
    [() => checkConverted('value', anything({ value: 1 })), /toConnectData, at \.schema/],
  ] as const)
    assert.throws(body, { name: 'DataError', code: 'PLUGIN_CONTRACT', message });
});

test('a plan must be a list of texts that leave the connector what it is', () => {
  const raw = { 'connector.class': 'A', topic: 't' };
  assert.deepEqual(checkPlan('A', [raw, {}], raw), [raw, {}]);
  for (const [planned, message] of [
    [undefined, /taskConfigs: it must be an array of configurations, not undefined/],
    [[null], /taskConfigs, at \[0\]/],
    [[{ n: 1 }], /at \[0\]\.n: it must be a text, not number 1/],
    [[raw, { 'connector.class': 'B' }], /at \[1\]\.connector\.class: it must be left as it is/],
    [[{ 'connector.plugin.version': '2' }], /connector\.plugin\.version/],
  ] as const)
    assert.throws(() => checkPlan('A', planned, raw), { code: 'BAD_TASK_CONFIG', message });
});

test('what validate, createTask, beginAt, note and progress are given is checked as well', () => {
  assert.throws(
    () => checkIssues('A', 'validate', undefined),
    /validate: it must be an array of issues.*not undefined/,
  );
  assert.throws(() => checkIssues('A', 'connect', [{ field: 'f' }]), /connect, at \[0\]\.reason/);
  assert.throws(
    () => checkTask('sink', 'c', anything({ start() {}, put() {}, stop() {} })),
    /createTask.*flush/,
  );
  assert.throws(() => {
    checkPosition('beginAt', { partition: {}, position: undefined });
  }, /beginAt: its position must be an object of JSON/);
  checkNote('DISK_FULL_2', null);
  assert.throws(() => checkNote('disk full', 'x'), /note: its code must be of capitals.*"disk full"/);
  assert.throws(() => checkNote('DISK_FULL', 7), /note: its message must be a string or null, not number 7/);
  assert.deepEqual(checkProgress({ text: 'snapshot', percent: 40, more: 1 }), {
    text: 'snapshot',
    percent: 40,
  });
  assert.equal(checkProgress(null), null);
  for (const [said, message] of [
    [undefined, /progress: its argument must be/],
    [{ percent: 1 }, /progress: its text must be a string, not undefined/],
    [{ text: 't', percent: NaN }, /progress: its percent must be a number from 0 to 100/],
    [{ text: 't', percent: 101 }, /not number 101/],
  ] as const)
    assert.throws(() => checkProgress(said), { code: 'PLUGIN_CONTRACT', message });
});
