/**
 * as-kafka.jsonl says what the JsonConverter of Kafka Connect 4.3.1 read from a text, or wrote for a value, or that it
 * failed. `differs` says why we do otherwise, on purpose.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, DataError, type Fields } from '#troupe/sdk/index.js';
import {
  object,
  readCases,
  schemaOf,
  schemaText,
  text,
  valueOf,
  valueText,
} from '../../support/kafka-notation.js';
import { converter } from './converters.js';

function ours(row: Fields): string {
  const config = Object.fromEntries(
    Object.entries(object(row['config'])).map(([key, value]): [string, string] => [key, text(value)]),
  );
  try {
    const json = converter('json', config);
    if (row['do'] === 'json.write') {
      const schema = schemaOf(row['schema']);
      return String(json.fromConnectData('t', schema, valueOf(schema, row['value'])));
    }
    const { schema, value } = json.toConnectData('t', row['text'] === null ? null : text(row['text']));
    return `${schemaText(schema)} ${valueText(schema, value)}`;
  } catch (error) {
    if (error instanceof DataError || error instanceof ConfigError) return 'fails';
    throw error;
  }
}

function kafkas(row: Fields): string {
  if (row['fails'] !== undefined) return 'fails';
  if (row['do'] === 'json.write') return String(row['gives']);
  const gives = object(row['gives']);
  const schema = schemaOf(gives['schema']);
  return `${schemaText(schema)} ${valueText(schema, valueOf(schema, gives['value']))}`;
}

test('the JSON converter reads and writes as that of Kafka Connect', () => {
  const cases = readCases('test/unit/converters/as-kafka.jsonl');
  assert.ok(cases.length > 60);
  for (const row of cases) {
    const name = `${String(row['do'])} ${String(row['text'] ?? row['schema'])} ${JSON.stringify(row['config'])}`;
    if (row['differs'] !== undefined) assert.notEqual(ours(row), kafkas(row), `${name} differs no more`);
    else assert.equal(ours(row), kafkas(row), name);
  }
});
