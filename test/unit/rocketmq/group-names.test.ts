import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromRocketMqGroup, toRocketMqGroup } from '#troupe/log/rocketmq/group-names.js';

const NAMES = ['plain-Name_1', 'a|b', 'with space', '100 %', 'a.b', 'ünïcödé 群', '🎭', 'a%20b', ''];

test('a group’s name becomes one that RocketMQ takes, and comes back', () => {
  for (const name of NAMES) {
    const group = toRocketMqGroup(name);
    assert.match(group, /^[%|a-zA-Z0-9_-]*$/);
    assert.equal(fromRocketMqGroup(group), name);
  }
  assert.equal(toRocketMqGroup('connect-my sink'), 'connect-my%20sink');
});

test('names that get too long differ by a digest, and are not taken for others', () => {
  const long = 'connect-' + '群'.repeat(100);
  const other = `${long}!`;
  assert.equal(toRocketMqGroup(long).length, 120);
  assert.notEqual(toRocketMqGroup(long), toRocketMqGroup(other));
  assert.match(toRocketMqGroup(long), /^connect-%E7%BE%A4/);
  assert.equal(fromRocketMqGroup(toRocketMqGroup(long)), null);
});

test('names of other clients that ours would never become are not taken for ours', () => {
  for (const group of ['%RETRY%g', 'MQ_INST_1%GID_x', 'a%2fb', 'a%'])
    assert.equal(fromRocketMqGroup(group), null);
});
