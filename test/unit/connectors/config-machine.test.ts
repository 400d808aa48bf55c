import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMachine,
  type ConfigEntry,
  type ConfigErrorCode,
} from '#troupe/core/connectors/config-machine.js';
import { unitGeneration, type ConnectorEntry } from '#troupe/core/model.js';

class Configs {
  readonly state = configMachine.initial();
  /** Of the next entry. */
  offset = 10;

  say(entry: ConfigEntry): ConnectorEntry | ConfigErrorCode {
    const meta = { offset: this.offset++, timestamp: 5, writer: { node: 'n', incarnation: 'i' } };
    const { result } = configMachine.apply(this.state, entry, meta);
    return result.ok ? result.entry : result.code;
  }

  put(
    config: Record<string, string>,
    more: { expectedVersion?: number | null; unlessDeleted?: boolean } = {},
  ): ConnectorEntry | ConfigErrorCode {
    return this.say({ type: 'CONNECTOR', name: 'c', config, ...more });
  }

  plan(connectorVersion: number, count: number, epoch?: number): ConnectorEntry | ConfigErrorCode {
    const configs = Array.from({ length: count }, (_, task) => ({ task: String(task) }));
    const by = epoch === undefined ? {} : { epoch };
    return this.say({ type: 'TASKS', name: 'c', connectorVersion, configs, ...by });
  }

  get entry(): ConnectorEntry {
    const entry = this.state.connectors.get('c');
    assert.ok(entry !== undefined);
    return entry;
  }
}

test('a write is refused when it expects another version, or no connector, or one', () => {
  const configs = new Configs();
  assert.equal(configs.put({ k: '1' }, { expectedVersion: 3 }), 'VERSION_CONFLICT');
  configs.put({ k: '1' }, { expectedVersion: null });
  const { version } = configs.entry;
  assert.equal(configs.put({ k: '2' }, { expectedVersion: null }), 'CONNECTOR_EXISTS');
  assert.equal(configs.put({ k: '2' }, { expectedVersion: version + 1 }), 'VERSION_CONFLICT');
  configs.put({ k: '2' }, { expectedVersion: version });
  assert.deepEqual(configs.entry.config, { k: '2' });
  assert.ok(configs.entry.version > version);
  for (const type of ['TARGET', 'DELETE', 'RESTART'] as const) {
    const entry: ConfigEntry = { type, name: 'none', state: 'PAUSED', connector: true, tasks: [] };
    assert.equal(configs.say(entry), 'CONNECTOR_NOT_FOUND');
  }
});

test('the same config written again changes nothing: no restart', () => {
  const configs = new Configs();
  configs.put({ k: '1', l: '2' });
  const before = configs.entry;
  configs.put({ l: '2', k: '1' });
  assert.equal(configs.entry, before);
});

test('tasks planned from an old config are refused, and the old ones stay until new ones come', () => {
  const configs = new Configs();
  configs.put({ k: '1' });
  const { version } = configs.entry;
  configs.plan(version, 2);
  const { tasks } = configs.entry;
  configs.put({ k: '2' });
  assert.equal(configs.entry.tasks, tasks);
  assert.equal(configs.plan(version, 3), 'TASKS_STALE');
  configs.plan(configs.entry.version, 2);
  // Equal task configs, but the connector's own settings are others.
  assert.ok((configs.entry.tasks?.generation ?? 0) > (tasks?.generation ?? 0));
});

test('a plan with the same outcome does not restart tasks', () => {
  const configs = new Configs();
  configs.put({ k: '1' });
  configs.plan(configs.entry.version, 2);
  const before = configs.entry;
  configs.plan(configs.entry.version, 2);
  assert.equal(configs.entry, before);
});

test('a plan of an evicted node that comes after that of its successor is refused', () => {
  const configs = new Configs();
  configs.put({ k: '1' });
  const { version } = configs.entry;
  configs.plan(version, 3, 8);
  const { entry } = configs;
  assert.equal(configs.plan(version, 2, 7), 'TASKS_STALE');
  assert.equal(configs.entry, entry);
  // The next owner comes to the same outcome: the one before it is still not listened to.
  configs.plan(version, 3, 9);
  assert.equal(unitGeneration(configs.entry, 0), unitGeneration(entry, 0));
  const copy = configMachine.decodeSnapshot([...configMachine.encodeSnapshot(configs.state)]);
  assert.deepEqual(copy?.connectors.get('c'), configs.entry);
  assert.equal(configs.plan(version, 2, 8), 'TASKS_STALE');
  configs.plan(version, 2, 9);
  assert.equal(configs.entry.tasks?.configs.length, 2);
});

test('two restart requests for different tasks are both remembered, and end with a new plan', () => {
  const configs = new Configs();
  configs.put({ k: '1' });
  configs.plan(configs.entry.version, 2);
  const planned = unitGeneration(configs.entry, 0) ?? 0;
  configs.say({ type: 'RESTART', name: 'c', connector: false, tasks: [0, 7] });
  configs.say({ type: 'RESTART', name: 'c', connector: true, tasks: [1] });
  const { entry } = configs;
  assert.deepEqual(entry.restart, { offset: configs.offset - 1, connector: true, tasks: [1] });
  assert.equal(unitGeneration(entry, 0), configs.offset - 2);
  assert.ok(configs.offset - 2 > planned);
  assert.equal(unitGeneration(entry, 1), configs.offset - 1);
  assert.equal(unitGeneration(entry, null), configs.offset - 1);
  assert.equal(unitGeneration(entry, 7), null);
  configs.plan(entry.version, 1);
  assert.equal(unitGeneration(configs.entry, 0), configs.entry.tasks?.generation);
});

test('a deleted connector comes back by a user only, as a new one', () => {
  const configs = new Configs();
  configs.put({ k: '1' });
  configs.say({ type: 'TARGET', name: 'c', state: 'STOPPED' });
  const { version } = configs.entry;
  configs.say({ type: 'DELETE', name: 'c' });
  assert.equal(configs.put({ k: '1' }, { unlessDeleted: true, expectedVersion: null }), 'CONNECTOR_DELETED');
  assert.equal(configs.plan(version, 2), 'CONNECTOR_NOT_FOUND');
  configs.put({ k: '1' });
  assert.equal(configs.entry.targetState, 'RUNNING');
  assert.equal(configs.plan(version, 2), 'TASKS_STALE');
});

test('tombstones are bounded in number', () => {
  const configs = new Configs();
  for (let i = 0; i < 10_050; i += 1) {
    configs.say({ type: 'CONNECTOR', name: `c${i}`, config: {} });
    configs.say({ type: 'DELETE', name: `c${i}` });
  }
  assert.equal(configs.state.tombstones.size, 10_000);
  assert.ok(configs.state.tombstones.has('c10049'));
});

test('names that could be taken for a unit, and values that are not text, are not decoded', () => {
  const broken: unknown[] = [
    { type: 'CONNECTOR', name: 'a/0', config: {} },
    { type: 'CONNECTOR', name: '', config: {} },
    { type: 'CONNECTOR', name: 'a', config: { k: 1 } },
    { type: 'CONNECTOR', name: 'a', config: [] },
    { type: 'CONNECTOR', name: 'a', config: {}, expectedVersion: 'x' },
    { type: 'TARGET', name: 'a', state: 'SLEEPING' },
    { type: 'TASKS', name: 'a', connectorVersion: 1, configs: [{ k: null }] },
    { type: 'RESTART', name: 'a', connector: true, tasks: [-1] },
    JSON.parse('{"__proto__": {"type": "DELETE", "name": "a"}}'),
  ];
  for (const value of broken) assert.equal(configMachine.decode(value), null, JSON.stringify(value));
  const proto: unknown = JSON.parse('{"type":"CONNECTOR","name":"__proto__","config":{"__proto__":"x"}}');
  assert.notEqual(configMachine.decode(proto), null);
});

test('a boot file is applied once, by whatever node comes first; what was changed or deleted since stays so', () => {
  const configs = new Configs();
  const boot = (hash: string, value: string): ConnectorEntry | ConfigErrorCode =>
    configs.say({ type: 'CONNECTOR', name: 'c', config: { k: value }, boot: hash });
  boot('h1', '1');
  configs.put({ k: '2' });
  assert.equal(boot('h1', '1'), 'ALREADY_APPLIED');
  assert.deepEqual(configs.entry.config, { k: '2' });
  configs.say({ type: 'DELETE', name: 'c' });
  assert.equal(boot('h1', '1'), 'ALREADY_APPLIED');
  const copy = configMachine.decodeSnapshot([...configMachine.encodeSnapshot(configs.state)]);
  assert.equal(copy?.booted.get('c'), 'h1');
  boot('h2', '3');
  assert.deepEqual(configs.entry.config, { k: '3' }, 'a file that was changed is applied');
});

test('a connector that was changed while it was stopped has no tasks when it is resumed, until it is planned', () => {
  const configs = new Configs();
  configs.put({ file: 'old' });
  configs.plan(configs.entry.version, 2);
  configs.say({ type: 'TARGET', name: 'c', state: 'STOPPED' });
  assert.equal(configs.entry.tasks?.configs.length, 2, 'the plan is that of its config');
  configs.put({ file: 'new' });
  configs.say({ type: 'TARGET', name: 'c', state: 'RUNNING' });
  assert.deepEqual(configs.entry.tasks, null);
  const planned = configs.plan(configs.entry.version, 1);
  assert.ok(typeof planned === 'object');
  assert.equal(planned.tasks?.configs.length, 1);
});

test('a connector that is stopped before its change was planned has no tasks when it is resumed', () => {
  const configs = new Configs();
  configs.put({ file: 'old' });
  configs.plan(configs.entry.version, 2);
  configs.put({ file: 'new' });
  assert.equal(configs.entry.tasks?.configs.length, 2, 'they run on');
  configs.say({ type: 'TARGET', name: 'c', state: 'STOPPED' });
  configs.say({ type: 'TARGET', name: 'c', state: 'RUNNING' });
  assert.equal(configs.entry.tasks, null);
});
