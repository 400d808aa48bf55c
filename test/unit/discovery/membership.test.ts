import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Membership } from '#troupe/actors/discovery/membership.js';
import type { DiscoveryParams, DiscoveryPeers } from '#troupe/actors/discovery/params.js';
import { createLease, leaseLeftMs } from '#troupe/actors/kernel/lease.js';
import type { ActorContext } from '#troupe/actors/kernel/protocol.js';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
} from '#troupe/core/cluster/cluster-machine.js';
import { EntryEncoder } from '#troupe/core/replica/envelope.js';
import { Replica } from '#troupe/core/replica/replicated-state.js';
import { MemoryTopic } from '../../property/replica/memory-topic.js';
import { DISCOVERY, LOG, NOBODY_RESTS, NO_SYSTEM } from '../../simulation/node-settings.js';
import { refTo } from '../../support/ref.js';
import { until } from '../../support/wait.js';
import { ownMetrics } from '../../support/metrics.js';

const SELF = { id: 'n', incarnation: 'n-1' };

interface Joined {
  readonly topic: MemoryTopic;
  readonly lease: SharedArrayBuffer;
  /** Why it asked for the end of its process. */
  readonly ends: string[];
  /** Why it asked to be started anew. */
  readonly crashes: unknown[];
}

async function joined(t: TestContext, times: Partial<DiscoveryParams>): Promise<Joined> {
  const topic = new MemoryTopic();
  const lease = createLease();
  const ends: string[] = [];
  const crashes: unknown[] = [];
  const replica = new Replica<ClusterState, ClusterEntry, ClusterResult>({
    machine: clusterMachine,
    port: topic,
    writer: { node: SELF.id, incarnation: SELF.incarnation },
  });
  await replica.boot();
  const context: ActorContext<DiscoveryPeers, DiscoveryParams> = {
    id: 'discovery',
    incarnation: 1,
    params: { ...DISCOVERY, ...times, workerId: SELF.id },
    peers: { log: refTo({}), rebalancer: refTo({}) },
    system: { ...NO_SYSTEM, shutdown: (reason) => ends.push(reason) },
    log: LOG,
    signal: new AbortController().signal,
    lease,
    metrics: ownMetrics(),
    crash: (error) => crashes.push(error),
    passivate: NOBODY_RESTS,
  };
  const membership = new Membership(context, SELF, replica);
  await membership.join();
  t.after(() => membership.leave());
  return { topic, lease, ends, crashes };
}

/** The word of another incarnation, which began to join at that time. */
function others(incarnation: string, joinedAt: number): Uint8Array {
  const encoder = new EntryEncoder<ClusterEntry>({ node: SELF.id, incarnation });
  const member = { id: SELF.id, incarnation, restUrl: '', joinedAt, heartbeatAt: 0 };
  return encoder.encode({ type: 'ONLINE', member });
}

test('a heartbeat that is read together with the word of a successor renews no lease', async (t) => {
  const { topic, lease, ends } = await joined(t, { heartbeatMs: 20, leaseMs: 60_000 });
  assert.ok(leaseLeftMs(lease) > 0);
  topic.append = (values) => Promise.resolve(topic.add([...values, others('n-2', Date.now() + 1000)]));
  await until('it knows', () => ends.length > 0);
  await new Promise(setImmediate);
  assert.ok(leaseLeftMs(lease) <= 0);
});

test('a word that an earlier process of the node had sent, and that comes late, does not end the one of now', async (t) => {
  const { topic, lease, ends, crashes } = await joined(t, { heartbeatMs: 20, leaseMs: 60_000 });
  topic.append = (values) => Promise.resolve(topic.add([...values, others('n-0', Date.now() - 60_000)]));
  await until('it joins anew', () => crashes.length > 0);
  assert.match(String(crashes[0]), /it joins again/);
  assert.ok(leaseLeftMs(lease) <= 0);
  assert.deepEqual(ends, []);
});

test('a node that reads nothing back any more falls silent, though it could write', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { topic } = await joined(t, { heartbeatMs: 20, leaseMs: 0 });
  const append = topic.append.bind(topic);
  const unread: (readonly Uint8Array[])[] = [];
  topic.append = (values) => {
    unread.push(values);
    return Promise.resolve(topic.endOffset);
  };
  for (let beats = 0; beats < 10; beats += 1) {
    t.mock.timers.tick(20);
    await new Promise(setImmediate);
  }
  assert.equal(unread.length, 1);
  // One that comes late after all.
  topic.append = append;
  for (const values of unread) topic.add(values);
});
