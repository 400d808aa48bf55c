/** Generated values and bytes for the converters that Kafka Connect has, too. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SchemaBuilder, type Fields, type Schema } from '#troupe/sdk/index.js';
import {
  notationText,
  object,
  schemaNotation,
  schemaOf,
  text,
  valueNotation,
  valueOf,
} from '../../support/kafka-notation.js';
import { leaves, typed, type Typed } from '../../support/typed-values.js';
import { CONVERTERS, type ConverterName } from './converters.js';

export interface Case {
  readonly converter: ConverterName;
  readonly config: Readonly<Record<string, string>>;
  /** Written: a value of the schema. */
  readonly schema?: Schema | null;
  readonly value?: unknown;
  /** Read. */
  readonly bytes?: Uint8Array | null;
}

/** What `questionOf` made: of the table of what was asked before. */
export function caseOf(question: Fields): Case {
  const names = Object.keys(CONVERTERS) as ConverterName[];
  const converter = names.find((name) => CONVERTERS[name].java === question['class']);
  assert.ok(converter !== undefined, `no converter is ${String(question['class'])}`);
  const config = Object.fromEntries(
    Object.entries(object(question['config'])).map(([key, value]): [string, string] => [key, text(value)]),
  );
  const { bytes } = question;
  if (bytes !== undefined)
    return { converter, config, bytes: bytes === null ? null : Buffer.from(text(bytes), 'base64') };
  const schema = schemaOf(question['schema']);
  return { converter, config, schema, value: valueOf(schema, question['value']) };
}

/** As a program in Java is asked. */
export function questionOf({ converter, config, schema = null, value, bytes }: Case): string {
  const { java, header } = CONVERTERS[converter];
  return notationText({
    class: java,
    header,
    config,
    ...(bytes === undefined
      ? { schema: schemaNotation(schema), value: valueNotation(schema, value) }
      : { bytes: bytes === null ? null : Buffer.from(bytes).toString('base64') }),
  });
}

const valued = ({ schema, values }: Typed): fc.Arbitrary<{ schema: Schema; value: unknown }> =>
  values.map((value) => ({ schema, value }));
const optionalLeaf = leaves.chain(({ schema, values }) =>
  fc.option(values).map((value) => ({ schema: SchemaBuilder.from(schema).optional().build(), value })),
);
const utf8 = fc.string({ unit: 'binary' }).map((text) => Buffer.from(text));

const NUMBERS = ['short', 'integer', 'long', 'float', 'double', 'boolean', 'bytes'] as const;

const numbers: fc.Arbitrary<Case> = fc.constantFrom(...NUMBERS).chain((converter) =>
  fc.oneof(
    optionalLeaf.map((given): Case => ({ converter, config: {}, ...given })),
    fc
      .option(
        fc.oneof(
          fc.uint8Array({ maxLength: 9 }),
          sized(CONVERTERS[converter].size),
          fc.constant(Uint8Array.of(1)),
        ),
      )
      .map((bytes): Case => ({ converter, config: {}, bytes })),
  ),
);

function sized(size: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: size, maxLength: size });
}

const strings: fc.Arbitrary<Case> = fc.oneof(
  optionalLeaf.map((given): Case => ({ converter: 'string', config: {}, ...given })),
  fc
    .option(fc.oneof(utf8, fc.uint8Array()))
    .map((bytes): Case => ({ converter: 'string', config: {}, bytes })),
);

const jsonConfig = fc.record({
  'schemas.enable': fc.constantFrom('true', 'true', 'false'),
  'decimal.format': fc.constantFrom('BASE64', 'NUMERIC'),
  'replace.null.with.default': fc.constantFrom('true', 'false'),
});
const plainJson = fc.json({ maxDepth: 3 });

const jsonWrites: fc.Arbitrary<Case> = fc
  .tuple(jsonConfig, fc.oneof(typed.chain(valued), optionalLeaf))
  .map(([config, given]) => ({ converter: 'json', config, ...given }));

const TYPES = ['int8', 'int16', 'int32', 'int64', 'float', 'double', 'boolean', 'string', 'bytes'] as const;
const jsonScalar = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.string(),
  fc.constant(null),
);
/** An envelope whose payload may fit its schema. */
const envelope = fc
  .record({
    type: fc.constantFrom(...TYPES),
    optional: fc.boolean(),
    nested: fc.constantFrom('none', 'array', 'map', 'struct'),
    payload: jsonScalar,
  })
  .map(({ type, optional, nested, payload }) => {
    const leaf = { type, optional };
    switch (nested) {
      case 'array':
        return { schema: { type: 'array', items: leaf, optional }, payload: [payload] };
      case 'map':
        return { schema: { type: 'map', keys: { type: 'string' }, values: leaf }, payload: { key: payload } };
      case 'struct':
        return { schema: { type: 'struct', fields: [{ ...leaf, field: 'f' }] }, payload: { f: payload } };
      default:
        return { schema: leaf, payload };
    }
  })
  .map((json) => JSON.stringify(json));

const jsonReads: fc.Arbitrary<Case> = fc
  .tuple(jsonConfig, fc.oneof(envelope, envelope, plainJson, fc.string()))
  .map(([config, text]) => ({ converter: 'json', config, bytes: Buffer.from(text) }));

/** What texts of headers are made of. */
const headerToken = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '[', ']', '{', '}', ',', ':', '"', '\\', ' ', '"a"', '"":', '\\:'),
  fc.constantFrom(
    '2026-11-30',
    '10:15:30.123Z',
    '2026-11-30T10:15:30.123Z',
    '2026-02-30',
    '1e5',
    '-0.0',
    '+1',
    '1.',
  ),
  fc.constantFrom(
    '127',
    '128',
    '-32769',
    '2147483648',
    '9223372036854775808',
    '1e400',
    '3.5e38',
    '0.1',
    '12.50',
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ maxLength: 3 }),
);
const headerValue: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    headerToken,
    fc.integer().map(String),
    fc.string({ maxLength: 4 }).map((text) => JSON.stringify(text)),
    fc.array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(tie('any'), tie('any')), { maxLength: 3 })
      .map((entries) => `{${entries.map((entry) => entry.join(':')).join(', ')}}`),
  ),
})).any;

const headers: fc.Arbitrary<Case> = fc.oneof(
  fc
    .oneof(typed.chain(valued), optionalLeaf)
    .map((given): Case => ({ converter: 'header', config: {}, ...given })),
  fc
    .oneof(
      headerValue,
      fc.array(headerToken, { maxLength: 6 }).map((tokens) => tokens.join('')),
      fc.string({ unit: 'binary' }),
    )
    .map((text): Case => ({ converter: 'header', config: {}, bytes: Buffer.from(text) })),
  fc.uint8Array({ maxLength: 8 }).map((bytes): Case => ({ converter: 'header', config: {}, bytes })),
);

/** `count` of each kind. */
export function cases(seed: number, count: number): readonly Case[] {
  return [numbers, strings, jsonWrites, jsonReads, headers].flatMap((kind, i) =>
    fc.sample(kind, { seed: seed + i, numRuns: count }),
  );
}
