import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, type SchemaAndValue } from '#troupe/sdk/index.js';
import { converter, dataError } from './converters.js';

const plain = converter('json', { 'schemas.enable': 'false' });
const withSchema = converter('json');

function read(schema: string, payload: string): SchemaAndValue {
  return withSchema.toConnectData('t', `{"schema":${schema},"payload":${payload}}`);
}

const DECIMAL =
  '{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}';
const STRUCT =
  '{"type":"struct","fields":[{"type":"int32","optional":true,"field":"a"},' +
  '{"type":"string","optional":true,"default":"dd","field":"b"}],"optional":false}';

test('integers keep their digits, as bigints where numbers cannot hold them', () => {
  const long = '{"type":"int64","optional":false}';
  assert.equal(read(long, '9223372036854775807').value, 9223372036854775807n);
  assert.equal(read(long, '-9007199254740993').value, -9007199254740993n);
  assert.equal(read(long, '9007199254740991').value, 9007199254740991);
  assert.throws(() => read(long, '9223372036854775808'), dataError('SCHEMA_MISMATCH', /64 bits/));
  const text =
    '{"a":9007199254740993,"b":[1.5,-12345678901234567890],"c":"9007199254740993","d":1e20,"e\\n":{"f":9007199254740995}}';
  assert.deepEqual(plain.toConnectData('t', text).value, {
    a: 9007199254740993n,
    b: [1.5, -12345678901234567890n],
    c: '9007199254740993',
    d: 1e20,
    'e\n': { f: 9007199254740995n },
  });
});

test('decimals are read in both formats, at the scale of the schema', () => {
  const values = ['"+x4="', '-12.5', '-12.50', '7', '12345678901234567890.12'].map(
    (payload) => read(DECIMAL, payload).value,
  );
  assert.deepEqual(
    values,
    ['-12.50', '-12.50', '-12.50', '7.00', '12345678901234567890.12'].map((text) => Decimal.parse(text)),
  );
  assert.throws(() => read(DECIMAL, '1.234'), dataError('SCHEMA_MISMATCH', /more than 2 digits/));
});

test('missing fields become null or their default; fields that the schema lacks are left out', () => {
  assert.deepEqual(read(STRUCT, '{"zz":1,"b":null}').value, { a: null, b: 'dd' });
  const keep = converter('json', { 'replace.null.with.default': 'false' });
  assert.deepEqual(keep.toConnectData('t', `{"schema":${STRUCT},"payload":{}}`).value, { a: null, b: null });
});

test('a payload that does not fit names the place', () => {
  const nested = `{"type":"array","items":${STRUCT}}`;
  assert.throws(
    () => read(nested, '[{"a":1},{"a":"x"}]'),
    dataError('SCHEMA_MISMATCH', /^payload\[1\]\.a: text "x" stands where/),
  );
  assert.throws(() => read('{"type":"int8"}', '200'), dataError('SCHEMA_MISMATCH', /-128 to 127/));
  assert.throws(() => read('{"type":"int32"}', '1.5'), dataError('SCHEMA_MISMATCH'));
  assert.throws(() => read('{"type":"bytes"}', '"no base64!"'), dataError('SCHEMA_MISMATCH', /base64/));
  assert.throws(() => read('{"type":"string"}', 'null'), dataError('SCHEMA_MISMATCH', /requires STRING/));
});

test('maps come from objects where keys are text, else from pairs', () => {
  assert.deepEqual(
    read('{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}', '{"k":1}').value,
    { k: 1 },
  );
  const pairs = '{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}';
  assert.deepEqual(read(pairs, '[[7,"seven"]]').value, new Map([[7, 'seven']]));
  assert.throws(() => read(pairs, '{"7":"seven"}'), dataError('SCHEMA_MISMATCH', /array of pairs/));
});

test('what is not an envelope is refused, with the setting that would take it', () => {
  for (const text of ['{"a":1}', '1', 'null', '{"schema":null,"payload":1,"x":2}', '{"schema":null}']) {
    assert.throws(
      () => withSchema.toConnectData('t', text),
      dataError('NO_ENVELOPE', /schemas\.enable=false/),
      text,
    );
  }
  assert.deepEqual(withSchema.toConnectData('t', '{"schema":null,"payload":{"a":1}}'), {
    schema: null,
    value: { a: 1 },
  });
});

test('text that is not JSON is refused, and not repeated in the error', () => {
  for (const text of ['{"password":"hunter2"', '{} x', 'hunter2', "{'hunter2':1}", '{"a":01}']) {
    assert.throws(
      () => plain.toConnectData('t', text),
      (error) => {
        dataError('BAD_JSON')(error);
        return !String(error).includes('hunter2') && !(error instanceof Error && error.cause !== undefined);
      },
    );
  }
});

test('a schema that makes no sense is refused', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{"optional":false}', /"type"/],
    ['{"type":"uuid"}', /"type", one of/],
    ['{"type":"array"}', /"items"/],
    ['{"type":"struct"}', /"fields"/],
    ['{"type":"struct","fields":[{"type":"int32"}]}', /its name/],
    ['{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"int32","field":"a"}]}', /twice/],
    ['{"type":"int32","parameters":{"a":1}}', /must be a text/],
    ['{"type":"int32","version":1.5}', /whole number/],
    ['5', /an object/],
  ];
  for (const [schema, message] of cases) {
    assert.throws(() => read(schema, '1'), dataError('BAD_SCHEMA', message), schema);
  }
});

test('equal schemas are one object, and the text of each is looked at once', () => {
  const first = read(STRUCT, '{"a":1}');
  assert.equal(read(STRUCT, '{"a":2}').schema, first.schema);
  assert.deepEqual(read(STRUCT, '{"a":2}').value, { a: 2, b: 'dd' });
  const spaced = withSchema.toConnectData('t', ` { "payload" : {"a":3} , "schema" : ${STRUCT} } `);
  assert.equal(spaced.schema, first.schema);
  assert.deepEqual(spaced.value, { a: 3, b: 'dd' });
});

test('a text that only begins like one with a known schema is read as what it is', () => {
  const converterOfOne = converter('json', { 'schemas.cache.size': '1' });
  const start = `{"schema":${STRUCT},"payload":`;
  converterOfOne.toConnectData('t', `${start}{"a":1}}`);
  assert.throws(() => converterOfOne.toConnectData('t', `${start}{"a":1},"x":1}`), dataError('NO_ENVELOPE'));
  assert.deepEqual(converterOfOne.toConnectData('t', `${start}{"a":1},"payload":{"a":2}}`).value, {
    a: 2,
    b: 'dd',
  });
  assert.throws(() => converterOfOne.toConnectData('t', `${start}{"a":1}`), dataError('BAD_JSON'));
});

test('defaults that differ only in digits that numbers lose are not mixed up', () => {
  const withDefault = (digits: string): string =>
    `{"type":"struct","fields":[{"type":"int64","optional":true,"default":${digits},"field":"a"}]}`;
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(read(withDefault('9007199254740993'), '{}').value, { a: 9007199254740993n });
    assert.deepEqual(read(withDefault('9007199254740992'), '{}').value, { a: 9007199254740992n });
  }
});

test('hostile input: deep nesting and names of prototypes', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  assert.throws(() => plain.toConnectData('t', deep), dataError('TOO_DEEP'));
  const deepBig = '['.repeat(5000) + '9007199254740993' + ']'.repeat(5000);
  assert.throws(() => plain.toConnectData('t', deepBig), dataError('TOO_DEEP'));
  let schema = '{"type":"int32"}';
  for (let i = 0; i < 2000; i += 1) schema = `{"type":"array","items":${schema}}`;
  assert.throws(() => read(schema, '[]'), dataError('TOO_DEEP'));
  const { value } = plain.toConnectData('t', '{"__proto__":{"x":9007199254740993},"constructor":1}');
  assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(
    plain.fromConnectData('t', null, value),
    '{"__proto__":{"x":9007199254740993},"constructor":1}',
  );
  const named =
    '{"type":"struct","fields":[{"type":"string","optional":true,"field":"constructor"},{"type":"string","optional":true,"field":"__proto__"}]}';
  const struct = read(named, '{}').value;
  assert.deepEqual(Object.entries(struct as object), [
    ['constructor', null],
    ['__proto__', null],
  ]);
});

test('an empty text is nothing, a tombstone is a tombstone', () => {
  assert.deepEqual(plain.toConnectData('t', ''), { schema: null, value: null });
  assert.deepEqual(plain.toConnectData('t', null), { schema: null, value: null });
  assert.throws(() => withSchema.toConnectData('t', ''), dataError('BAD_JSON'));
});
