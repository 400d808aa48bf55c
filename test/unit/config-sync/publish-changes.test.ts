import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishChanges } from '#troupe/actors/config-sync/publish-changes.js';
import type { PersistenceProtocol } from '#troupe/actors/persistence/protocol.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { Replica } from '#troupe/core/replica/replicated-state.js';
import { savedConfigs } from '#troupe/core/connectors/saved-states.js';
import { MemoryTopic } from '../../property/replica/memory-topic.js';
import { refTo } from '../../support/ref.js';
import { until } from '../../support/wait.js';

test('a change that the rebalancer had no room for is told again, though nothing else changes', async () => {
  const replica = new Replica({
    machine: savedConfigs,
    port: new MemoryTopic(),
    writer: { node: 'n', incarnation: 'i' },
  });
  await replica.boot();
  let refused = false;
  let known: readonly string[] = [];
  const persistence = refTo<PersistenceProtocol>({});
  const rebalancer = refTo<RebalancerProtocol>({
    takes: () => {
      if (refused) return true;
      refused = true;
      return false;
    },
    tell: {
      configsChanged: ({ connectors }) => {
        known = connectors.map(({ name }) => name);
      },
    },
  });
  const following = new AbortController();
  const followed = replica.follow(following.signal);
  await replica.submit({ type: 'CONNECTOR', name: 'c', config: {} });
  publishChanges({ persistence, rebalancer }, replica);
  await until('it is told', () => known.length > 0);
  assert.deepEqual(known, ['c']);
  following.abort();
  await followed;
});
