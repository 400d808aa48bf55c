import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ConfigError,
  DataError,
  Decimal,
  parseConfigOrThrow,
  SchemaBuilder,
  sourceRecord,
  STRING_SCHEMA,
  INT64_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
  type SourceRecord,
  type TransformInstance,
} from '@troupe/sdk';
import plugin from '../src/script.js';

const made = (script: string, more: Record<string, string> = {}): TransformInstance =>
  plugin.plugin.create(parseConfigOrThrow(plugin.plugin.config, { script, ...more }));

const record = (value: unknown, more: Partial<SourceRecord> = {}): SourceRecord =>
  sourceRecord({
    topic: 't',
    key: 'k',
    value,
    timestamp: 1000,
    sourcePartition: { a: 1 },
    sourcePosition: { b: 2 },
    ...more,
  });

const failsWith =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof DataError && error.code === code;

test('values of every kind come out of the sandbox as they went in', () => {
  const value = {
    text: 'ä \ud83d\ude00 \u0000 "',
    lone: '\ud800',
    zero: -0,
    nan: Number.NaN,
    large: 2n ** 70n,
    long: -(2n ** 63n),
    most: Number.MAX_SAFE_INTEGER,
    small: 5e-324,
    bytes: new Uint8Array([0, 15, 255]),
    at: new Date(-1),
    none: null,
    sum: new Decimal(-1250n, 2),
    list: [1, [null, { $: 'i', v: '7' }]],
    map: new Map<unknown, unknown>([
      [1, 'a'],
      [{ x: 1 }, 2n ** 60n],
    ]),
    ...(JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}') as object),
  };
  const transform = made('(record) => record');
  const given = record(value, { headers: [{ key: 'h', schema: STRING_SCHEMA, value: 'x' }] });
  const out = transform.apply(given);
  assert.deepEqual(out, given);
  assert.ok(Object.is((out?.value as { zero: number }).zero, -0));
});

test('a script sees each kind as what it is, and makes them', () => {
  const transform = made(`(record) => {
    const { big, at, bytes, sum, map } = record.value;
    record.value = { big: big + 1n, year: at.getUTCFullYear(), size: bytes.length, sum: String(sum), twice: new Decimal(sum.unscaled * 2n, sum.scale),
      keys: [...map.keys()], bytes: new Uint8Array([1, 2]), parsed: Decimal.parse('-0.50'), missing: undefined };
    record.headers.push({ key: 'new', value: 1n });
    record.topic += '-done';
    record.timestamp += 1;
    return record;
  }`);
  const out = transform.apply(
    record({
      big: 2n ** 60n,
      at: new Date(0),
      bytes: new Uint8Array(3),
      sum: new Decimal(125n, 2),
      map: new Map([['a', 1]]),
    }),
  );
  assert.deepEqual(out?.value, {
    big: 2n ** 60n + 1n,
    year: 1970,
    size: 3,
    sum: '1.25',
    twice: new Decimal(250n, 2),
    keys: ['a'],
    bytes: new Uint8Array([1, 2]),
    parsed: new Decimal(-50n, 2),
  });
  assert.deepEqual(
    [out.topic, out.timestamp, out.headers],
    ['t-done', 1001, [{ key: 'new', schema: null, value: 1 }]],
  );
  assert.deepEqual([out.sourcePartition, out.sourcePosition], [{ a: 1 }, { b: 2 }]);
});

test('schemas stay where what the script gives fits them, and are let go where it is said so', () => {
  const schema = SchemaBuilder.struct().field('n', INT64_SCHEMA).field('o', OPTIONAL_INT64_SCHEMA).build();
  const given = record({ n: 2n ** 60n, o: null }, { valueSchema: schema, keySchema: STRING_SCHEMA });
  const kept = made('(r) => { r.value.n += 1n; return r; }').apply(given);
  assert.deepEqual([kept?.valueSchema, kept?.value], [schema, { n: 2n ** 60n + 1n, o: null }]);
  const more = '(r) => ({ ...r, value: { ...r.value, more: 1 } })';
  assert.throws(() => made(more).apply(given), /value\.more: .* schema=drop/);
  const dropped = made(more, { schema: 'drop' }).apply(given);
  assert.deepEqual([dropped?.valueSchema, dropped?.keySchema], [null, null]);
});

test('null drops a record; nothing, a promise and what is no value are errors', () => {
  assert.equal(made('(r) => r.value > 1 ? r : null').apply(record(1)), null);
  for (const [script, words] of [
    ['(r) => { r.value = 1; }', /gives nothing/],
    ['async (r) => r', /at once/],
    ['(r) => ({ ...r, value: () => 1 })', /function is no value/],
    ['(r) => ({ ...r, value: new Set() })', /class Set/],
    ['(r) => { const a = []; a.push(a); return { ...r, value: a }; }', /deeper than 500|stack/],
    ['(r) => ({ ...r, topic: 5 })', /topic/],
    ['(r) => ({ ...r, timestamp: 0.5 })', /timestamp/],
    ['(r) => ({ ...r, headers: [{ value: 1 }] })', /key of a header/],
    ['(r) => {\n throw new Error("no good"); }', /Error: no good \(line 2\)/],
    ['(r) => nothing.here', /ReferenceError/],
  ] as const)
    assert.throws(
      () => made(script).apply(record(1)),
      (error: unknown) => failsWith('SCRIPT_FAILED')(error) && words.test(String(error)),
      script,
    );
});

test('a script that cannot run is refused before the first record', () => {
  for (const script of ['(r) => {', '5', '(() => { for (;;); })()', 'nothing', '(r) => r)'])
    assert.throws(
      () => made(script, { 'timeout.ms': '20' }),
      (error: unknown) => error instanceof ConfigError && error.field === 'script',
      script,
    );
});

test('what takes too long, too much memory or too deep a stack is ended, and the next record is as good as the first', () => {
  const transform = made(
    `(r) => {
      if (r.value === 'loop') for (;;);
      if (r.value === 'match') /^(a+)+$/.test('a'.repeat(40) + 'b');
      if (r.value === 'hide') try { for (;;); } catch { return r; } finally { for (;;); }
      if (r.value === 'text') { let x = 'x'; for (;;) x += x; }
      if (r.value === 'list') { const x = []; for (;;) x.push({}); }
      if (r.value === 'bytes') return { ...r, value: new Uint8Array(2 ** 30) };
      if (r.value === 'deep') { const f = () => f() + 1; f(); }
      return r;
    }`,
    { 'timeout.ms': '500', 'memory.max': '4MiB' },
  );
  for (let round = 0; round < 3; round += 1) {
    for (const [value, codes] of [
      ['loop', ['SCRIPT_TIMEOUT']],
      ['match', ['SCRIPT_TIMEOUT']],
      ['hide', ['SCRIPT_TIMEOUT']],
      ['text', ['SCRIPT_MEMORY', 'SCRIPT_FAILED']],
      ['list', ['SCRIPT_MEMORY', 'SCRIPT_TIMEOUT']],
      ['bytes', ['SCRIPT_MEMORY', 'SCRIPT_FAILED']],
      ['deep', ['SCRIPT_FAILED']],
    ] as const)
      assert.throws(
        () => transform.apply(record(value)),
        (error: unknown) => codes.some((code) => failsWith(code)(error)),
        value,
      );
    assert.deepEqual(transform.apply(record('fine'))?.value, 'fine');
  }
  assert.throws(() => transform.apply(record('x'.repeat(8 << 20))), failsWith('SCRIPT_MEMORY'));
  assert.deepEqual(transform.apply(record('fine'))?.value, 'fine');
  void transform.close?.();
});

test('a script reaches nothing of the process', () => {
  const names = [
    'process',
    'require',
    'module',
    'fetch',
    'Buffer',
    'setTimeout',
    'WebAssembly',
    'std',
    'os',
    'Worker',
  ];
  const transform = made(
    `(r) => ({ ...r, value: ${JSON.stringify(names)}.filter((name) => name in globalThis) })`,
  );
  assert.deepEqual(transform.apply(record(1))?.value, []);
  const escape = made(`(r) => ({ ...r, value: (0, Function)('return typeof process')() })`);
  assert.equal(escape.apply(record(1))?.value, 'undefined');
  assert.throws(() => made('(r) => import("node:fs")').apply(record(1)), failsWith('SCRIPT_FAILED'));
});

test('scripts of a task keep apart', () => {
  const one = made('(r) => { globalThis.n = (globalThis.n ?? 0) + 1; return { ...r, value: n }; }');
  const other = made('(r) => ({ ...r, value: typeof globalThis.n })');
  one.apply(record(0));
  assert.equal(one.apply(record(0))?.value, 2);
  assert.equal(other.apply(record(0))?.value, 'undefined');
});

test('whatever a record holds, a script that gives it back changes nothing', () => {
  const transform = made('(record) => record');
  const whole = fc
    .bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
    .map((exact) => (Number.isSafeInteger(Number(exact)) ? Number(exact) : exact));
  const names = fc.oneof(fc.string(), fc.constantFrom('$', 'v', '__proto__', 'toString'));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary' }),
      fc.double(),
      whole,
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
      fc.date({ noInvalidDate: true }).map((date) => new Date(date.getTime())),
      fc
        .tuple(fc.bigInt(), fc.integer({ min: -20, max: 20 }))
        .map(([digits, scale]) => new Decimal(digits, scale)),
      fc.array(tie('value')),
      fc.dictionary(names, tie('value'), { noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value'))).map((entries) => new Map(entries)),
    ),
  }));
  fc.assert(
    fc.property(value, (any) => {
      const given = record(any, { key: any });
      assert.deepStrictEqual(transform.apply(given), given);
    }),
    { numRuns: 300 },
  );
});
