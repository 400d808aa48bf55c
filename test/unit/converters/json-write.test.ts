import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BOOLEAN_SCHEMA,
  BYTES_SCHEMA,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  FLOAT32_SCHEMA,
  FLOAT64_SCHEMA,
  INT16_SCHEMA,
  INT32_SCHEMA,
  INT64_SCHEMA,
  INT8_SCHEMA,
  OPTIONAL_INT32_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  SchemaBuilder,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '#troupe/sdk/index.js';
import { converter, dataError } from './converters.js';

const INNER = SchemaBuilder.struct().name('inner').field('x', INT32_SCHEMA).build();
const ALL = SchemaBuilder.struct()
  .name('all')
  .version(7)
  .doc('every "type"')
  .parameter('b', '2')
  .parameter('a', '1')
  .field('i8', INT8_SCHEMA)
  .field('i16', INT16_SCHEMA)
  .field('i32', INT32_SCHEMA)
  .field('i64', INT64_SCHEMA)
  .field('f32', FLOAT32_SCHEMA)
  .field('f64', FLOAT64_SCHEMA)
  .field('bool', BOOLEAN_SCHEMA)
  .field('str', OPTIONAL_STRING_SCHEMA)
  .field('bytes', BYTES_SCHEMA)
  .field('date', DATE_SCHEMA)
  .field('time', TIME_SCHEMA)
  .field('ts', TIMESTAMP_SCHEMA)
  .field('dec', decimalSchema(2).build())
  .field('list', SchemaBuilder.array(OPTIONAL_INT32_SCHEMA).build())
  .field('map', SchemaBuilder.map(STRING_SCHEMA, INT32_SCHEMA).build())
  .field('pairs', SchemaBuilder.map(INT32_SCHEMA, STRING_SCHEMA).build())
  .field('inner', INNER)
  .field('def', SchemaBuilder.of('INT64').optional().default(9007199254740993n).build())
  .build();
const VALUE = {
  i8: -128,
  i16: 32767,
  i32: -5,
  i64: 9223372036854775807n,
  f32: 1.5,
  f64: -0.1,
  bool: true,
  str: 'a"b\\c\n\u0001é/',
  bytes: Uint8Array.of(1, 2, 255),
  date: new Date(86_400_000 * 3),
  time: new Date(3_600_001),
  ts: new Date(1_700_000_000_123),
  dec: Decimal.parse('-12.50'),
  list: [1, null, 3],
  map: { k: 1 },
  pairs: new Map([[7, 'seven']]),
  inner: { x: 1 },
};

// What Kafka Connect 4.3.1 writes for the same schema and value.
const KAFKA_SCHEMA =
  '{"type":"struct","fields":[{"type":"int8","optional":false,"field":"i8"},{"type":"int16","optional":false,"field":"i16"},' +
  '{"type":"int32","optional":false,"field":"i32"},{"type":"int64","optional":false,"field":"i64"},' +
  '{"type":"float","optional":false,"field":"f32"},{"type":"double","optional":false,"field":"f64"},' +
  '{"type":"boolean","optional":false,"field":"bool"},{"type":"string","optional":true,"field":"str"},' +
  '{"type":"bytes","optional":false,"field":"bytes"},' +
  '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"field":"date"},' +
  '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1,"field":"time"},' +
  '{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"ts"},' +
  '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"dec"},' +
  '{"type":"array","items":{"type":"int32","optional":true},"optional":false,"field":"list"},' +
  '{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false,"field":"map"},' +
  '{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":false},"optional":false,"field":"pairs"},' +
  '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"}],"optional":false,"name":"inner","field":"inner"},' +
  '{"type":"int64","optional":true,"default":9007199254740993,"field":"def"}],"optional":false,"name":"all","version":7,' +
  '"doc":"every \\"type\\"","parameters":{"b":"2","a":"1"}}';
const kafkaPayload = (dec: string, def: string): string =>
  '{"i8":-128,"i16":32767,"i32":-5,"i64":9223372036854775807,"f32":1.5,"f64":-0.1,"bool":true,"str":"a\\"b\\\\c\\n\\u0001é/",' +
  `"bytes":"AQL/","date":3,"time":3600001,"ts":1700000000123,"dec":${dec},"list":[1,null,3],"map":{"k":1},` +
  `"pairs":[[7,"seven"]],"inner":{"x":1},"def":${def}}`;

test('every type is written as Kafka Connect writes it', () => {
  const written = (raw: Record<string, string>): unknown =>
    converter('json', raw).fromConnectData('t', ALL, VALUE);
  const envelope = (payload: string): string => `{"schema":${KAFKA_SCHEMA},"payload":${payload}}`;
  assert.equal(written({}), envelope(kafkaPayload('"+x4="', '9007199254740993')));
  assert.equal(written({ 'schemas.enable': 'false' }), kafkaPayload('"+x4="', '9007199254740993'));
  assert.equal(
    written({ 'decimal.format': 'NUMERIC' }),
    envelope(kafkaPayload('-12.50', '9007199254740993')),
  );
  assert.equal(written({ 'replace.null.with.default': 'false' }), envelope(kafkaPayload('"+x4="', 'null')));
});

test('decimals have the bytes that Kafka Connect gives them', () => {
  const KAFKA: Readonly<Record<string, string>> = {
    '0': 'AA==',
    '127': 'fw==',
    '128': 'AIA=',
    '-128': 'gA==',
    '-129': '/38=',
    '255': 'AP8=',
    '256': 'AQA=',
    '-256': '/wA=',
    '32767': 'f/8=',
    '-32768': 'gAA=',
    '123456789012345678901234567890': 'AY7pD/bDc+DuTj8K0g==',
    '0.01': 'AQ==',
    '-0.01': '/w==',
  };
  const plain = converter('json', { 'schemas.enable': 'false' });
  for (const [text, base64] of Object.entries(KAFKA)) {
    const decimal = Decimal.parse(text);
    assert.equal(
      plain.fromConnectData('t', decimalSchema(decimal.scale).build(), decimal),
      `"${base64}"`,
      text,
    );
  }
});

test('a decimal of another scale is written at that of the schema, and refused where a digit would be lost', () => {
  for (const raw of [{}, { 'decimal.format': 'NUMERIC' }]) {
    const json = converter('json', raw);
    const schema = decimalSchema(2).build();
    const written = json.fromConnectData('t', schema, Decimal.parse('12.5'));
    assert.ok(typeof written === 'string');
    assert.deepEqual(json.toConnectData('t', written).value, Decimal.parse('12.50'));
    assert.throws(
      () => json.fromConnectData('t', schema, Decimal.parse('12.345')),
      dataError('SCHEMA_MISMATCH', /value: 12\.345 has more than 2 digits/),
    );
  }
});

test('a value that its own reader would refuse is not written', () => {
  const plain = converter('json', { 'schemas.enable': 'false' });
  for (const [schema, value, message] of [
    [INT64_SCHEMA, 2n ** 63n, /must be INT64/],
    [INT64_SCHEMA, -(2n ** 63n) - 1n, /must be INT64/],
    [DATE_SCHEMA, new Date(86_400_001), /midnight UTC/],
    [TIME_SCHEMA, new Date(86_400_000), /1970-01-01/],
  ] as const) {
    assert.throws(() => plain.fromConnectData('t', schema, value), dataError('SCHEMA_MISMATCH', message));
  }
  assert.equal(plain.fromConnectData('t', INT64_SCHEMA, -(2n ** 63n)), '-9223372036854775808');
  assert.equal(plain.fromConnectData('t', DATE_SCHEMA, new Date(-86_400_000)), '-1');
});

test('nulls: a tombstone without a schema, else null in the payload, refused where it is required', () => {
  const json = converter('json');
  assert.equal(json.fromConnectData('t', null, null), null);
  const optional = '{"schema":{"type":"string","optional":true},"payload":null}';
  assert.equal(json.fromConnectData('t', OPTIONAL_STRING_SCHEMA, null), optional);
  assert.throws(
    () => json.fromConnectData('t', STRING_SCHEMA, null),
    dataError('SCHEMA_MISMATCH', /value: is missing/),
  );
});

test('numbers that JSON does not have are written as text, as in Kafka Connect', () => {
  const plain = converter('json', { 'schemas.enable': 'false' });
  assert.equal(plain.fromConnectData('t', FLOAT64_SCHEMA, NaN), '"NaN"');
  assert.equal(plain.fromConnectData('t', FLOAT64_SCHEMA, -Infinity), '"-Infinity"');
  assert.equal(plain.fromConnectData('t', null, [Infinity]), '["Infinity"]');
});

test('values without a schema', () => {
  const plain = converter('json', { 'schemas.enable': 'false' });
  const written = (value: unknown): unknown => plain.fromConnectData('t', null, value);
  assert.equal(written({ a: 1, b: [true, null], c: { d: 'x' } }), '{"a":1,"b":[true,null],"c":{"d":"x"}}');
  assert.equal(written({ a: 9223372036854775807n }), '{"a":9223372036854775807}');
  assert.equal(written({ a: Uint8Array.of(1, 2, 3), gone: undefined }), '{"a":"AQID"}');
  assert.equal(written(new Map([['k', 1]])), '{"k":1}');
  assert.equal(written(new Map([[1, 'a']])), '[[1,"a"]]');
  assert.equal(written('text'), '"text"');
  assert.equal(converter('json').fromConnectData('t', null, 'x'), '{"schema":null,"payload":"x"}');
  assert.throws(() => written({ at: new Date(0) }), dataError('NO_JSON_FORM', /give the record a schema/));
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.throws(() => written(circular), dataError('TOO_DEEP', /refers to itself/));
});

test('a value that does not fit its schema is refused with the path', () => {
  const json = converter('json');
  const write = (value: unknown): unknown => json.fromConnectData('t', ALL, value);
  assert.throws(
    () => write({ ...VALUE, inner: { x: 'one' } }),
    dataError('SCHEMA_MISMATCH', /value\.inner\.x: must be INT32, not text "one"/),
  );
  assert.throws(() => write({ ...VALUE, i8: 128 }), dataError('SCHEMA_MISMATCH', /value\.i8/));
  assert.throws(
    () => write({ ...VALUE, other: 1 }),
    dataError('SCHEMA_MISMATCH', /value\.other: is not a field/),
  );
  assert.throws(() => write({ ...VALUE, i64: 2 ** 53 }), dataError('SCHEMA_MISMATCH', /value\.i64/));
  assert.throws(() => write('text'), dataError('SCHEMA_MISMATCH', /value: must be STRUCT/));
});

test('a field is not taken from the prototype', () => {
  const schema = SchemaBuilder.struct()
    .field('constructor', OPTIONAL_STRING_SCHEMA)
    .field('__proto__', OPTIONAL_STRING_SCHEMA)
    .build();
  const plain = converter('json', { 'schemas.enable': 'false' });
  assert.equal(plain.fromConnectData('t', schema, {}), '{"constructor":null,"__proto__":null}');
});
