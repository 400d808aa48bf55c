import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rest } from '#troupe/connectors/file/source/rest.js';

test('between two looks at thousands of files is a pause, in proportion and bounded, and a change ends it', () => {
  const rest = new Rest();
  rest.begin(10_000, 0, 100, 0);
  assert.ok(rest.isOn(499));
  assert.ok(!rest.isOn(500));
  rest.begin(10_000, 0, 60_000, 0);
  assert.ok(rest.isOn(64_999));
  assert.ok(!rest.isOn(65_000));
  rest.begin(10_000, 0, 100, 0);
  rest.end();
  assert.ok(!rest.isOn(101));
  rest.begin(500, 0, 1000, 0);
  assert.ok(!rest.isOn(1001));
});

test('files without news for five seconds are looked at each second, and what is new ends that', () => {
  const rest = new Rest();
  for (let now = 0; now < 5000; now += 250) {
    rest.begin(1, now, now, 0);
    assert.ok(!rest.isOn(now + 1));
  }
  rest.begin(1, 5000, 5000, 0);
  assert.equal(rest.until, 6000);
  assert.ok(rest.isOn(5999));
  rest.begin(1, 6200, 6200, 0);
  assert.equal(rest.until, 7000);
  rest.end();
  rest.begin(1, 11_000, 11_000, 0);
  assert.ok(!rest.isOn(11_001));
});

test('a rest is as long as files are to be left alone', () => {
  const rest = new Rest();
  rest.begin(1, 0, 100, 60_000);
  assert.equal(rest.until, 60_100);
  rest.begin(10_000, 0, 1000, 60_000);
  assert.equal(rest.until, 61_000);
});
