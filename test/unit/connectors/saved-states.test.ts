import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMachine, type ConfigEntry } from '#troupe/core/connectors/config-machine.js';
import { restoreEntries } from '#troupe/core/connectors/cold-start-state.js';
import { savedConfigs } from '#troupe/core/connectors/saved-states.js';
import { decodeConnectors, encodeConnectors } from '#troupe/core/connectors/state-files.js';

const ORIGIN = { life: 0, offset: 7 };
const BOOT: ConfigEntry = { type: 'CONNECTOR', name: 'orders', config: {}, boot: 'h1' };

const meta = (offset: number) => ({ offset, timestamp: 5, writer: { node: 'n', incarnation: 'i' } });

/** What a cluster that begins from this file makes of the boot file that was applied before. */
function bootedAgain(file: string): string {
  let state = savedConfigs.initial();
  const entries = restoreEntries(ORIGIN, decodeConnectors(file));
  for (const entry of entries) {
    assert.notEqual(savedConfigs.decode(entry), null);
    ({ state } = savedConfigs.apply(state, entry, meta(0)));
  }
  const { result } = savedConfigs.apply(state, BOOT, meta(1));
  return result?.ok === false ? result.code : 'applied';
}

test('a boot file whose connector was deleted is not applied again by a cluster that begins from its files', () => {
  const { state } = configMachine.apply(configMachine.initial(), BOOT, meta(0));
  configMachine.apply(state, { type: 'DELETE', name: 'orders' }, meta(1));
  const file = encodeConnectors(ORIGIN, [...state.connectors.values()], state.booted);
  assert.equal(bootedAgain(file), 'ALREADY_APPLIED');
});

test('a file that does not say what was applied is read as before', () => {
  assert.equal(bootedAgain('{"formatVersion":1,"from":{"life":0,"offset":7},"connectors":{}}'), 'applied');
});
