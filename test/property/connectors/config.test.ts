import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  configMachine,
  type ConfigEntry,
  type ConfigResult,
  type ConfigState,
} from '#troupe/core/connectors/config-machine.js';
import { unitGeneration } from '#troupe/core/model.js';
import { configEntry } from '../replica/entries.js';

function applier(state: ConfigState, from = 0): (entry: ConfigEntry) => ConfigResult {
  let offset = from;
  return (entry) => {
    const meta = { offset: offset++, timestamp: 1, writer: { node: 'n', incarnation: 'i' } };
    return configMachine.apply(state, entry, meta).result;
  };
}

test('what was deleted stays deleted, whatever a stale node says', () => {
  fc.assert(
    fc.property(fc.array(configEntry), fc.array(configEntry), (before, stale) => {
      const state = configMachine.initial();
      const apply = applier(state);
      for (const entry of before) apply(entry);
      apply({ type: 'CONNECTOR', name: 'a', config: {} });
      apply({ type: 'DELETE', name: 'a' });
      for (const entry of stale) {
        // A stale node repeats what it knew: it writes over a version, or from a file, never as a user who creates.
        const said: ConfigEntry =
          entry.type !== 'CONNECTOR' || typeof entry.expectedVersion === 'number'
            ? { ...entry, name: 'a' }
            : { ...entry, name: 'a', unlessDeleted: true };
        assert.equal(apply(said).ok, false);
        assert.equal(state.connectors.has('a'), false);
      }
      assert.equal(apply({ type: 'CONNECTOR', name: 'a', config: {}, expectedVersion: null }).ok, true);
    }),
  );
});

test('a version names one config, and a generation one effective task list', () => {
  fc.assert(
    fc.property(fc.array(configEntry, { maxLength: 60 }), (entries) => {
      const state = configMachine.initial();
      const apply = applier(state);
      const configs = new Map<string, string>();
      const tasks = new Map<string, string>();
      for (const entry of entries) {
        apply(entry);
        for (const { name, version, config, tasks: set } of state.connectors.values()) {
          const text = JSON.stringify(Object.entries(config).sort());
          assert.equal(configs.get(`${name} ${version}`) ?? text, text);
          configs.set(`${name} ${version}`, text);
          if (set === null) continue;
          const list = JSON.stringify(set.configs.map((each) => Object.entries(each).sort()));
          assert.equal(tasks.get(`${name} ${set.generation}`) ?? list, list);
          tasks.set(`${name} ${set.generation}`, list);
        }
      }
    }),
  );
});

test('no unit of a living connector ever goes back to an older generation', () => {
  fc.assert(
    fc.property(fc.array(configEntry, { maxLength: 60 }), (entries) => {
      const state = configMachine.initial();
      const apply = applier(state);
      const newest = new Map<string, number>();
      for (const entry of entries) {
        apply(entry);
        for (const connector of state.connectors.values()) {
          for (const task of [null, 0, 1, 2]) {
            const generation = unitGeneration(connector, task);
            if (generation === null) continue;
            const key = `${connector.name} ${String(task)}`;
            assert.ok(generation >= (newest.get(key) ?? 0));
            newest.set(key, generation);
          }
        }
      }
    }),
  );
});
