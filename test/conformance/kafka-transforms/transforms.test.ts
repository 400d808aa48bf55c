/**
 * Our transforms and predicates beside those of Kafka Connect, given the same configurations and records: they give the same record, or
 * fail alike. KafkaTransforms.java runs Kafka's classes where Java is; recorded.tsv has what they answered to some of the cases, for
 * everywhere else, and differences.tsv an example of each difference on purpose. Both are written anew with RECORD_KAFKA=1: with
 * TEST_CASES=10000 (how many of each kind), as some differences are rare.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { requireService } from '@troupe/test-support/require-service';
import { JavaConversation } from '../../support/java-conversation.js';
import { kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { anyCase, KINDS } from './any-case.js';
import { DIFFERENCES } from './differences.js';
import { answerText, caseLine, caseOf, readRecorded, type Case } from './notation.js';
import { ourText } from './ours.js';

const fileOf = (name: string): string =>
  fileURLToPath(
    new URL(`../test/conformance/kafka-transforms/${name}`, import.meta.resolve('#troupe/supervisor.js')),
  );
const CASES = Number(process.env['TEST_CASES'] ?? 1000);
/** What random cases do not meet. */
const RARE = [
  `{"do":"Cast$Value","config":{"spec":"string"},"record":{"topic":"t","queue":0,"key":[null,null],"value":[{"type":"FLOAT64","optional":false},1e+23],"timestamp":0,"headers":[]}}`,
];
/** The same cases at every change; the nightly looks for others. */
const SEED = Number(process.env['SEED'] ?? 1);
const RECORDING = process.env['RECORD_KAFKA'] === '1';

/** The name of the difference that explains it; null for none. */
async function compare(its: Case, kafka: string): Promise<string | null> {
  const ours = await ourText(its);
  if (ours === kafka) return null;
  const known = DIFFERENCES.find(({ explains }) => explains(its, kafka, ours));
  if (known === undefined) assert.equal(ours, kafka, caseLine(its));
  return known?.what ?? null;
}

test('the recorded answers of Kafka Connect are ours, but for the differences on purpose', async () => {
  const lines = readFileSync(fileOf('recorded.tsv'), 'utf8').trimEnd().split('\n');
  assert.ok(lines.length > 250);
  for (const line of lines) {
    const { its, kafka } = readRecorded(line);
    await compare(its, kafka);
  }
});

test('each difference on purpose is still one', async () => {
  const lines = readFileSync(fileOf('differences.tsv'), 'utf8').trimEnd().split('\n');
  const met = await Promise.all(
    lines.map((line) => {
      const { its, kafka } = readRecorded(line);
      return compare(its, kafka);
    }),
  );
  assert.deepEqual(met.sort(), DIFFERENCES.map(({ what }) => what).sort());
});

describe("Kafka Connect's own classes", { skip: requireService(kafkaAvailable()) }, () => {
  let java: JavaConversation | null = null;
  /** The shortest example that was met of each. */
  const met = new Map<string, string>();
  const ask = (its: Case): Promise<string> => {
    assert.ok(java !== null);
    return java.ask(caseLine(its));
  };

  before(async () => {
    java = new JavaConversation(fileOf('KafkaTransforms.java'), await kafkaJars());
  });
  after(() => java?.stop());

  const play = async (its: Case): Promise<void> => {
    const answer = await ask(its);
    const difference = await compare(its, answerText(answer));
    const line = `${caseLine(its)}\t${answer}`;
    if (difference !== null && line.length < (met.get(difference)?.length ?? Infinity))
      met.set(difference, line);
  };

  for (const kind of KINDS) {
    test(`${kind} gives the same record, or fails alike`, async () => {
      await fc.assert(fc.asyncProperty(anyCase(kind), play), { numRuns: CASES, seed: SEED });
    });
  }

  test('the answers are recorded', { skip: RECORDING ? false : 'only with RECORD_KAFKA=1' }, async () => {
    for (const line of RARE) await play(caseOf(line));
    const lines: string[] = [];
    for (const kind of KINDS) lines.push(...(await recorded(kind, ask)));
    writeFileSync(fileOf('recorded.tsv'), `${lines.join('\n')}\n`);
    writeFileSync(fileOf('differences.tsv'), `${[...met.values()].join('\n')}\n`);
  });
});

/** The shortest cases of each outcome. */
async function recorded(kind: string, ask: (its: Case) => Promise<string>): Promise<readonly string[]> {
  const left = { refused: 3, fails: 4, other: 10 };
  const lines: string[] = [];
  const cases = fc.sample(anyCase(kind), { seed: 1, numRuns: 400 });
  for (const its of cases.sort((a, b) => caseLine(a).length - caseLine(b).length)) {
    const answer = await ask(its);
    const outcome = answerText(answer);
    const sort = outcome === 'refused' || outcome === 'fails' ? outcome : 'other';
    if (left[sort] === 0) continue;
    left[sort] -= 1;
    lines.push(`${caseLine(its)}\t${answer}`);
  }
  return lines;
}
