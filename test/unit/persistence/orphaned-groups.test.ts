import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrphanedGroups } from '#troupe/actors/persistence/orphaned-groups.js';
import type { ConnectorEntry } from '#troupe/core/model.js';
import { EMBEDDED_CAPABILITIES } from '#troupe/log/embedded/capabilities.js';

function entry(name: string): ConnectorEntry {
  return { name, config: {}, targetState: 'RUNNING', version: 1, restart: null, tasks: null };
}

test('the group of a deleted connector goes at the second look, unless the connector came back in between', async (t) => {
  const groups = new Set(['connect-gone', 'connect-back', 'connect-there', 'of somebody else']);
  let connectors: readonly ConnectorEntry[] | null = null;
  const log = {
    capabilities: EMBEDDED_CAPABILITIES,
    listGroups: () => Promise.resolve([...groups]),
    deleteGroup: (group: string) => {
      groups.delete(group);
      return Promise.resolve();
    },
  };
  const left = new OrphanedGroups(
    log,
    () => connectors,
    () => undefined,
  );
  t.after(() => {
    left.stop();
  });
  await left.check();
  await left.check();
  assert.equal(groups.size, 4, 'the connectors are not known yet');
  connectors = [entry('there')];
  await left.check();
  connectors = [entry('there'), entry('back')];
  await left.check();
  assert.deepEqual([...groups], ['connect-back', 'connect-there', 'of somebody else']);
});

test('in a store that others use as well only groups of connectors that were seen are deleted', async (t) => {
  const deleted: string[] = [];
  let connectors: readonly ConnectorEntry[] = [entry('stays'), entry('goes')];
  const log = {
    capabilities: { ...EMBEDDED_CAPABILITIES, trim: false },
    listGroups: () => Promise.resolve(['connect-stays', 'connect-goes', 'connect-of somebody else']),
    deleteGroup: (group: string) => {
      deleted.push(group);
      return Promise.resolve();
    },
  };
  const left = new OrphanedGroups(
    log,
    () => connectors,
    () => undefined,
  );
  t.after(() => {
    left.stop();
  });
  await left.check();
  connectors = [entry('stays')];
  for (let i = 0; i < 4; i += 1) await left.check();
  assert.deepEqual(deleted, ['connect-goes']);
});
