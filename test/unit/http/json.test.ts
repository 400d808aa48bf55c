import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';

import { parseJson } from '#troupe/http/json.js';

/** The same value with numbers as the text that JSON.stringify gives them. */
function numbersAsText(value: unknown): unknown {
  if (typeof value === 'number') return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(numbersAsText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, numbersAsText(member)]));
}

test('what JSON.parse reads is read the same, with numbers as their text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(parseJson(text), numbersAsText(JSON.parse(text)));
    }),
  );
});

test('what JSON.parse refuses is refused', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '\\',
    '1',
    '-',
    '01',
    '.5',
    'e',
    'true',
    'nul',
    ' ',
    '\n',
    '\u0001',
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
      (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) parseJson(text);
        else assert.throws(() => parseJson(text), { code: 'BODY_NOT_JSON' }, text);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('numbers keep every digit', () => {
  assert.deepEqual(parseJson('[12345678901234567890, 1.0, -0, 1E+2]'), [
    '12345678901234567890',
    '1.0',
    '-0',
    '1E+2',
  ]);
});
