/**
 * Our converters beside those of Kafka Connect: the same bytes, the same value and schema, or both refuse. KafkaConverters.java runs
 * Kafka's classes where Java is; recorded.jsonl has what they answered to some of the questions, for everywhere else. It is
 * written anew with RECORD_KAFKA=1.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireService } from '@troupe/test-support/require-service';
import { askJava } from '../../support/java-oracle.js';
import { kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { notationText, object, readCases } from '../../support/kafka-notation.js';
import { kafkas, ours } from './answers.js';
import { caseOf, cases, questionOf, type Case } from './cases.js';
import { DIFFERENCES } from './differences.js';

const FOLDER = 'test/conformance/kafka-converters';
const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../${FOLDER}/${name}`, import.meta.resolve('#troupe/supervisor.js')));

/** The names of the differences that were met. */
function compare(given: Case, answer: unknown, met: Set<string>): void {
  const [us, kafka] = [ours(given), kafkas(answer)];
  if (us === kafka) return;
  const known = DIFFERENCES.find(({ explains }) => explains(given, us, kafka));
  if (known === undefined) assert.equal(us, kafka, `asked: ${questionOf(given)}`);
  else met.add(known.name);
}

test('the recorded answers of Kafka Connect are ours, but for the differences on purpose', () => {
  const rows = readCases(`${FOLDER}/recorded.jsonl`);
  assert.ok(rows.length > 300);
  for (const row of rows) compare(caseOf(object(row['asked'])), row['answered'], new Set());
});

test(
  "Kafka Connect's own converters do what ours do, but for the differences on purpose",
  { skip: requireService(kafkaAvailable()) },
  async () => {
    // The same cases at every change; the nightly looks for others.
    const seed = Number(process.env['SEED'] ?? 1);
    const recording = process.env['RECORD_KAFKA'] === '1';
    const asked = cases(seed, recording ? 90 : 1200);
    const questions = asked.map(questionOf);
    const answers = await askJava(fileOf('KafkaConverters.java'), await kafkaJars(), questions);
    const met = new Set<string>();
    try {
      asked.forEach((given, i) => {
        compare(given, answers[i], met);
      });
    } catch (error) {
      throw new Error(`with SEED=${seed}: ${String(error)}`, { cause: error });
    }
    assert.ok(recording || met.size > 5, `few differences were met: ${[...met].join('; ')}`);
    if (recording) record(questions, answers);
  },
);

const MAX_ROW = 600;

function record(questions: readonly string[], answers: readonly unknown[]): void {
  const rows = questions
    .map((question, i) => `{"asked":${question},"answered":${notationText(answers[i])}}\n`)
    .filter((row) => row.length < MAX_ROW);
  writeFileSync(fileOf('recorded.jsonl'), rows.join(''));
}
