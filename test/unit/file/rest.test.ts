import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rest } from '#troupe/connectors/file/source/rest.js';

test('between two looks at thousands of files is a pause, in proportion and bounded, and a change ends it', () => {
  const rest = new Rest();
  rest.begin(10_000, 0, 100);
  assert.ok(rest.isOn(499));
  assert.ok(!rest.isOn(500));
  rest.begin(10_000, 0, 60_000);
  assert.ok(rest.isOn(64_999));
  assert.ok(!rest.isOn(65_000));
  rest.begin(10_000, 0, 100);
  rest.end();
  assert.ok(!rest.isOn(101));
  rest.begin(500, 0, 1000);
  assert.ok(!rest.isOn(1001));
});
