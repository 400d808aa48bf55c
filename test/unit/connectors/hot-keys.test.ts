import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMachine,
  type ConfigEntry,
  type ConfigErrorCode,
} from '#troupe/core/connectors/config-machine.js';
import { changedKeys, isHotKey, isTakenOver } from '#troupe/core/connectors/hot-keys.js';
import type { ConnectorEntry } from '#troupe/core/model.js';

type Config = Record<string, string>;

class Configs {
  readonly state = configMachine.initial();
  #offset = 10;

  say(entry: ConfigEntry): ConnectorEntry | ConfigErrorCode {
    const meta = { offset: this.#offset++, timestamp: 5, writer: { node: 'n', incarnation: 'i' } };
    const { result } = configMachine.apply(this.state, entry, meta);
    return result.ok ? result.entry : result.code;
  }

  put(config: Config): ConnectorEntry | ConfigErrorCode {
    return this.say({ type: 'CONNECTOR', name: 'c', config });
  }

  plan(type: 'TASKS' | 'SETTINGS', configs: readonly Config[]): ConnectorEntry | ConfigErrorCode {
    return this.say({ type, name: 'c', connectorVersion: this.entry.version, configs });
  }

  get entry(): ConnectorEntry {
    const entry = this.state.connectors.get('c');
    assert.ok(entry !== undefined);
    return entry;
  }

  get takesOver(): boolean {
    const { tasks, version } = this.entry;
    return isTakenOver(tasks, { connectorVersion: version, configs: [{ file: 'a' }] });
  }
}

function planned(): Configs {
  const configs = new Configs();
  configs.put({ k: '1', 'linger.ms': '5' });
  configs.plan('TASKS', [{ file: 'a' }]);
  return configs;
}

test('tasks keep their generation where only keys have changed that they take over', () => {
  const configs = planned();
  const { generation } = configs.entry.tasks ?? {};
  configs.put({ k: '1', 'linger.ms': '9', transforms: 'a', 'transforms.a.type': 'Cast' });
  assert.ok(configs.takesOver);
  configs.plan('SETTINGS', [{ file: 'a' }]);
  const { tasks, version } = configs.entry;
  assert.deepEqual(tasks, { connectorVersion: version, generation, configs: [{ file: 'a' }] });
});

test('a key of the connector itself, once changed, starts its tasks anew whatever is changed after it', () => {
  const configs = planned();
  configs.put({ k: '2', 'linger.ms': '5' });
  configs.put({ k: '2', 'linger.ms': '6' });
  assert.equal(configs.takesOver, false);
  assert.equal(configs.plan('SETTINGS', [{ file: 'a' }]), 'TASKS_STALE');
  // Also after one that they could have taken over.
  const later = planned();
  later.put({ k: '1', 'linger.ms': '6' });
  later.put({ k: '2', 'linger.ms': '6' });
  later.put({ k: '1', 'linger.ms': '7' });
  assert.equal(later.takesOver, false);
  assert.equal(later.plan('SETTINGS', [{ file: 'a' }]), 'TASKS_STALE');
  later.plan('TASKS', [{ file: 'a' }]);
  later.put({ k: '1', 'linger.ms': '8' });
  assert.ok(later.takesOver);
});

test('another number of tasks, another config of one, or another version is not taken over', () => {
  const configs = planned();
  configs.put({ k: '1', 'linger.ms': '9' });
  for (const plan of [[], [{ file: 'a' }, { file: 'b' }], [{ file: 'b' }], [{ file: 'a', more: '' }]])
    assert.equal(configs.plan('SETTINGS', plan), 'TASKS_STALE');
  const stale = { connectorVersion: configs.entry.version - 1, configs: [{ file: 'a' }] };
  assert.equal(configs.say({ type: 'SETTINGS', name: 'c', ...stale }), 'TASKS_STALE');
  assert.ok(typeof configs.plan('SETTINGS', [{ file: 'a', 'linger.ms': '9' }]) === 'object');
  // Planned again from the same config: what else has changed is another start.
  assert.equal(configs.plan('SETTINGS', [{ file: 'a' }]), 'TASKS_STALE');
});

test('a key that is common elsewhere is the connector’s where that defines it', () => {
  const { tasks, version } = planned().entry;
  const plan = { connectorVersion: version + 1, configs: [{ file: 'a' }] };
  const changed = { ...tasks, changed: ['batch.max.records'] } as NonNullable<ConnectorEntry['tasks']>;
  assert.ok(isTakenOver(changed, plan));
  assert.equal(isTakenOver(changed, plan, ['batch.max.records']), false);
});

test('only what a task can change between two records is hot', () => {
  for (const key of [
    'transforms',
    'transforms.a.type',
    'predicates.p.pattern',
    'value.converter.x',
    'linger.ms',
  ])
    assert.ok(isHotKey(key), key);
  for (const key of [
    'topic',
    'topics',
    'tasks.max',
    'connector.class',
    'transformsx',
    'consume.mode',
    'file',
  ])
    assert.equal(isHotKey(key), false, key);
  assert.deepEqual(changedKeys({ a: '1', b: '2', d: '4' }, { a: '1', b: '3', c: '' }), ['b', 'c', 'd']);
});

test('what has changed since the plan outlives a snapshot', () => {
  const configs = planned();
  configs.put({ k: '1', 'linger.ms': '9' });
  const items: unknown = JSON.parse(JSON.stringify([...configMachine.encodeSnapshot(configs.state)]));
  const restored = configMachine.decodeSnapshot(items as readonly unknown[]);
  assert.deepEqual(restored?.connectors.get('c')?.tasks?.changed, ['linger.ms']);
});
