/** The binary form of the Avro converter, beside that of Avro's own library in Java. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parseAvro } from '@troupe/converter-avro/dist/src/avro-schema.js';
import { AvroInput, AvroOutput } from '@troupe/converter-avro/dist/src/binary.js';
import { avroSchemaOf } from '@troupe/converter-avro/dist/src/from-connect.js';
import { readerOf } from '@troupe/converter-avro/dist/src/read-value.js';
import { connectSchemaOf } from '@troupe/converter-avro/dist/src/to-connect.js';
import { writerOf } from '@troupe/converter-avro/dist/src/write-value.js';
import { requireService } from '@troupe/test-support/require-service';
import { SchemaBuilder, type Schema } from '#troupe/sdk/index.js';
import { askJava } from '../../support/java-oracle.js';
import { AVRO_JARS, kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { object, schemaText, text, valueText } from '../../support/kafka-notation.js';
import { typed } from '../../support/typed-values.js';

const NO_PREFIX = new Uint8Array(0);
const SOURCE = fileURLToPath(
  new URL('../test/conformance/avro/AvroBytes.java', import.meta.resolve('#troupe/supervisor.js')),
);

interface Named {
  readonly schema: Schema;
  readonly value: unknown;
}

/** As Avro takes it: structs have names of their own, fields names of letters. */
const cases: fc.Arbitrary<Named> = typed.chain(({ schema, values }) => {
  let structs = 0;
  const rename = (given: Schema): Schema => {
    if (given.type === 'ARRAY' && given.valueSchema !== undefined)
      return rebuilt(given, SchemaBuilder.array(rename(given.valueSchema)));
    if (given.type === 'MAP' && given.keySchema !== undefined && given.valueSchema !== undefined)
      return rebuilt(
        given,
        SchemaBuilder.map(given.keySchema, rename(given.valueSchema)).name(`m.M${++structs}`),
      );
    if (given.type !== 'STRUCT') return given;
    const builder = SchemaBuilder.struct().name(`s.S${++structs}`);
    (given.fields ?? []).forEach((field, i) => builder.field(`f${i}`, rename(field.schema)));
    return rebuilt(given, builder);
  };
  const named = rename(schema);
  return values.map((value) => ({ schema: named, value: renamed(schema, value) }));
});

function rebuilt(given: Schema, builder: SchemaBuilder): Schema {
  return (given.optional ? builder.optional() : builder).build();
}

/** The value of a schema whose fields have numbers. */
function renamed(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (schema.type === 'ARRAY')
    return (value as unknown[]).map((item) => renamed(schema.valueSchema ?? schema, item));
  if (schema.type === 'MAP') {
    const part = schema.valueSchema ?? schema;
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, renamed(part, item)]));
    return Object.fromEntries(Object.entries(object(value)).map(([key, item]) => [key, renamed(part, item)]));
  }
  if (schema.type !== 'STRUCT') return value;
  return Object.fromEntries(
    (schema.fields ?? []).map((field, i) => [`f${i}`, renamed(field.schema, object(value)[field.name])]),
  );
}

const avroText = (schema: Schema): string =>
  JSON.stringify(avroSchemaOf(schema, { metaData: true, enhanced: true }));

function written(avro: string, value: unknown): Uint8Array {
  const out = new AvroOutput();
  writerOf(parseAvro(avro))(out, value);
  return out.take(NO_PREFIX);
}

function read(avro: string, bytes: Uint8Array): unknown {
  const input = new AvroInput();
  input.open(bytes, 0);
  const value = readerOf(parseAvro(avro))(input);
  assert.equal(input.left, 0);
  return value;
}

test('what is written is read back as the same schema and value, to the last digit', () => {
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      const avro = avroText(schema);
      assert.equal(schemaText(connectSchemaOf(parseAvro(avro))), schemaText(schema));
      assert.equal(valueText(schema, read(avro, written(avro, value))), valueText(schema, value));
    }),
    { numRuns: 500 },
  );
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

test(
  "Avro's library writes the same bytes, and what it writes is read",
  { skip: requireService(kafkaAvailable(AVRO_JARS)) },
  async () => {
    // The same cases at every change; the nightly looks for others.
    const seed = Number(process.env['SEED'] ?? 1);
    const given = fc.sample(cases, { seed, numRuns: 700 }).map(({ schema, value }, i) => {
      const avro = avroText(schema);
      return { schema, avro, bytes: base64(written(avro, value)), seed: i };
    });
    const questions = given.flatMap((each) => [
      JSON.stringify({ schema: each.avro, bytes: each.bytes }),
      JSON.stringify({ schema: each.avro, seed: each.seed }),
    ]);
    const answers = (await askJava(SOURCE, await kafkaJars(AVRO_JARS), questions)).map(object);
    given.forEach(({ schema, avro, bytes }, i) => {
      const where = `with SEED=${seed}: ${avro} ${bytes}`;
      const [again, any] = [answers[2 * i] ?? {}, answers[2 * i + 1] ?? {}];
      assert.equal(again['fails'], undefined, where);
      // Java keeps no order of the entries of maps.
      if (again['bytes'] !== bytes) {
        const [theirs, own] = [text(again['bytes']), bytes].map((each) =>
          valueText(schema, read(avro, Buffer.from(each, 'base64'))),
        );
        assert.equal(theirs, own, where);
      }
      const random = Buffer.from(text(any['bytes']), 'base64');
      // Its dates lie in no calendar, its decimals are longer than they need be, and its maps have no order.
      if (!/"logicalType"|"map"|MapEntry/.test(avro))
        assert.equal(base64(written(avro, read(avro, random))), base64(random), where);
    });
  },
);
