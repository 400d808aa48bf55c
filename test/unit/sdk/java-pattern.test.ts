/**
 * java-pattern.jsonl says what java.util.regex found in texts that the whole expression matches: where the first match
 * begins and ends, and its groups. null: the expression does not match the whole text. `bad`: it is none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, javaPattern, javaPatternProblem, type JavaPattern } from '#troupe/sdk/index.js';
import { list, object, readCases, text } from '../../support/kafka-notation.js';

function found(
  { whole, first, groupCount, forgetful }: JavaPattern,
  topic: string,
): readonly unknown[] | null {
  const match = whole.test(topic) ? first.exec(topic) : null;
  if (match === null) return null;
  const groups = Array.from({ length: groupCount }, (_, i) =>
    forgetful.has(i + 1) ? '?' : (match.groups?.[`g${i + 1}`] ?? null),
  );
  return [match.index, match.index + match[0].length, ...groups];
}

test("a regular expression in Java's syntax matches what it does in Java", () => {
  const cases = readCases('test/unit/sdk/java-pattern.jsonl');
  assert.ok(cases.length > 100);
  for (const row of cases) {
    const regex = text(row['regex']);
    if (row['bad'] !== undefined) {
      assert.notEqual(javaPatternProblem(regex), null, regex);
      continue;
    }
    const pattern = javaPattern(regex);
    for (const [topic, expected] of Object.entries(object(row['finds'])))
      assert.deepEqual(
        found(pattern, topic),
        expected === null ? null : list(expected),
        `${regex} in ${topic}`,
      );
  }
});

test('what would match something else in JavaScript is refused, and the error says what', () => {
  for (const [regex, why] of [
    ['(?u)a', /the flag \(\?u\) is not supported here/],
    ['\\p{InGreek}', /\\p\{InGreek\} is not supported here/],
    ['\\p{Nope}', /\\p\{Nope\}/],
    ['\\Gab', /\\G is not supported here/],
    ['a\\b{g}b', /\\b\{ is not supported here/],
    ['(a)?\\1b', /refers back to group 1, which may take no part/],
    ['(a*)*\\1', /group 1, whose text is not certain|may take no part/],
    ['(?i)(a)\\1', /not supported with \(\?i\)/],
    ['(?<=a++)b', /inside a look behind/],
    ['[a&&]', /&& needs a set on both sides/],
    ['*.log', /\* has nothing before it to repeat: for the character itself write \\\*/],
    ['a)(b', /a \) has no \( before it/],
    ['(a', /a \( has no \) after it/],
    ['[a', /a \[ has no \] after it/],
    ['(?<g>a)(?<g>b)', /the group name g stands twice/],
    [`${'('.repeat(300)}${')'.repeat(300)}`, /nested more than 200 deep/],
    ['a'.repeat(10_001), /longer than 10000 characters/],
  ] as const) {
    assert.throws(
      () => javaPattern(regex),
      (error) => error instanceof ConfigError && error.code === 'BAD_REGEX' && why.test(error.message),
      regex,
    );
  }
});

test('groups that a repetition may pass over are told apart, since JavaScript forgets them', () => {
  assert.deepEqual([...javaPattern('(?:(a)|b)*').forgetful], [1]);
  assert.deepEqual([...javaPattern('(a*)*').forgetful], [1]);
  assert.deepEqual([...javaPattern('(\\w+-)*(\\w+)').forgetful], []);
});
