/**
 * as-kafka.jsonl says what the classes of Kafka Connect 4.3.1 did with each configuration and record: what they changed,
 * `"same"`, null for a record that they dropped, or the error. `differs` says why we do otherwise, on purpose.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCases } from '../../support/kafka-notation.js';
import { outcomes } from './kafka-cases.js';

test('transforms and predicates do what those of Kafka Connect do', async () => {
  const cases = readCases('test/unit/transforms/as-kafka.jsonl');
  assert.ok(cases.length > 130);
  for (const row of cases) {
    const { kafka, ours } = await outcomes(row);
    const name = `${JSON.stringify(row['do'])} ${JSON.stringify(row['config'])}`;
    if (row['differs'] !== undefined) assert.notEqual(ours, kafka, `${name} differs no more`);
    // What fails with each record is better refused before the first.
    else if (!(kafka === 'fails' && ours === 'refused')) assert.equal(ours, kafka, name);
  }
});
