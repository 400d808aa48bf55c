import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError, type SourceRecord } from '#troupe/sdk/index.js';
import { buildTransformChain } from '#troupe/plugins/transform-chain.js';
import { catalog, OBJECT, record, single } from './transforms.js';

async function topic(type: string, options: Record<string, string>): Promise<string | null | undefined> {
  return (await single(type, options)).apply(record(null, OBJECT))?.topic;
}

test('RegexRouter renames as Kafka Connect does', async () => {
  const KAFKA: readonly (readonly [regex: string, replacement: string, topic: string])[] = [
    ['(or)(.*)', '$2-$1', 'ders-or'],
    ['ord', 'x', 'orders'],
    ['.*', '\\$x', '$x'],
    ['(?<a>o)(.*)', '${a}!', 'o!'],
    ['(o)(.*)', '$10', 'o0'],
    ['(.*)', '$1_v2', 'orders_v2'],
    ['orders|x', 'y', 'y'],
  ];
  for (const [regex, replacement, expected] of KAFKA) {
    assert.equal(await topic('RegexRouter', { regex, replacement }), expected, regex);
  }
});

test('RegexRouter renames each topic of a mixed stream', async () => {
  const chain = await single('RegexRouter', { regex: 'a-(.*)', replacement: 'b-$1' });
  const topics = ['a-1', 'a-2', 'c', 'a-1'].map(
    (name) => chain.apply(record(null, 1, { topic: name }))?.topic,
  );
  assert.deepEqual(topics, ['b-1', 'b-2', 'c', 'b-1']);
});

test('TimestampRouter writes times as Kafka Connect does', async () => {
  const KAFKA: Readonly<Record<string, string>> = {
    yyyyMMdd: '20231114',
    "yyyy-MM-dd'T'HH:mm:ss.SSS": '2023-11-14T22:13:20.123',
    yy: '23',
    'MMM d, EEE': 'Nov 14, Tue',
    'MMMM EEEE': 'November Tuesday',
    'hh a': '10 PM',
    h: '10',
    "''yyyy''": "'2023'",
    yyy: '2023',
    SS: '123',
    S: '123',
  };
  for (const [format, expected] of Object.entries(KAFKA)) {
    assert.equal(
      await topic('TimestampRouter', { 'timestamp.format': format }),
      `orders-${expected}`,
      format,
    );
  }
  const twice = { 'topic.format': 'a-${timestamp}-${topic}-${topic}' };
  assert.equal(await topic('TimestampRouter', twice), 'a-20231114-orders-orders');
  const chain = await single('TimestampRouter', {});
  assert.throws(() => chain.apply(record(null, 1, { timestamp: null })), DataError);
});

test('a predicate decides what is transformed, negated or not', async () => {
  const dropped = async (
    predicate: Record<string, string>,
    negate: boolean,
    of: SourceRecord,
  ): Promise<boolean> => {
    const raw: Record<string, string> = {
      transforms: 'drop',
      'transforms.drop.type': 'Filter',
      'transforms.drop.predicate': 'p',
      'transforms.drop.negate': String(negate),
      predicates: 'p',
    };
    for (const [key, value] of Object.entries(predicate)) raw[`predicates.p.${key}`] = value;
    return (await buildTransformChain(raw, catalog)).apply(of) === null;
  };
  const tombstone = { type: 'RecordIsTombstone' };
  assert.equal(await dropped(tombstone, false, record(null, null)), true);
  assert.equal(await dropped(tombstone, false, record(null, 0)), false);
  assert.equal(await dropped(tombstone, true, record(null, 0)), true);
  const named = { type: 'TopicNameMatches', pattern: 'or.*' };
  assert.equal(await dropped(named, false, record(null, 1)), true);
  assert.equal(await dropped(named, false, record(null, 1, { topic: 'my-orders' })), false);
  const header = { type: 'org.apache.kafka.connect.transforms.predicates.HasHeaderKey', name: 'h' };
  assert.equal(
    await dropped(header, false, record(null, 1, { headers: [{ key: 'h', schema: null, value: null }] })),
    true,
  );
  assert.equal(
    await dropped(header, false, record(null, 1, { headers: [{ key: 'H', schema: null, value: null }] })),
    false,
  );
});
