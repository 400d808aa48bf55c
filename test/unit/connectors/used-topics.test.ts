import assert from 'node:assert/strict';
import test from 'node:test';
import { configMachine, type ConfigEntry, type ConfigState } from '#troupe/core/connectors/config-machine.js';
import { MAX_USED_TOPICS } from '#troupe/core/connectors/used-topics.js';

const CREATED: ConfigEntry = { type: 'CONNECTOR', name: 'a', config: {} };

function after(...entries: readonly ConfigEntry[]): ConfigState {
  let state = configMachine.initial();
  for (const [offset, entry] of entries.entries())
    ({ state } = configMachine.apply(state, entry, {
      offset,
      timestamp: 0,
      writer: { node: 'n', incarnation: 'i' },
    }));
  return state;
}

test('topics that several tasks have used stand once, whoever told them first', () => {
  const one: ConfigEntry = { type: 'TOPICS', name: 'a', topics: ['b', 'a'] };
  const other: ConfigEntry = { type: 'TOPICS', name: 'a', topics: ['c', 'a'] };
  const state = after(CREATED, one, other);
  assert.deepEqual(state.topics.get('a'), ['a', 'b', 'c']);
  assert.equal(configMachine.digest(state), configMachine.digest(after(CREATED, other, one)));
});

test('used topics are in snapshots, are forgotten by a reset, and go with the connector', () => {
  const used: ConfigEntry = { type: 'TOPICS', name: 'a', topics: ['t'] };
  const read = configMachine.decodeSnapshot(
    JSON.parse(JSON.stringify([...configMachine.encodeSnapshot(after(CREATED, used))])) as unknown[],
  );
  assert.deepEqual(read?.topics.get('a'), ['t']);
  assert.equal(after(CREATED, used, { type: 'TOPICS', name: 'a', topics: null }).topics.size, 0);
  assert.equal(after(CREATED, used, { type: 'DELETE', name: 'a' }).topics.size, 0);
});

test('a connector that makes up topics has no more noted than there may be', () => {
  const many = Array.from({ length: MAX_USED_TOPICS + 1 }, (_, i) => `t${i}`);
  const state = after(CREATED, { type: 'TOPICS', name: 'a', topics: many });
  assert.equal(state.topics.get('a')?.length, MAX_USED_TOPICS);
});
