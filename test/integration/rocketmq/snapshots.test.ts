/** Snapshots of a state that no single message can hold. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  configMachine,
  type ConfigEntry,
  type ConfigResult,
  type ConfigState,
} from '#troupe/core/connectors/config-machine.js';
import { decodeRecord } from '#troupe/core/replica/envelope.js';
import { Replica, type ReplicaPort } from '#troupe/core/replica/replicated-state.js';
import { openReplicatedTopic } from '#troupe/log/replicated-topic.js';
import { openTestLog, rocketmqSettings } from '../../support/rocketmq-log.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

const MIB = 1024 * 1024;
const POLICY = { entries: 60, bytes: 64 * MIB };

function replicaOn(
  port: ReplicaPort,
  node: string,
): { replica: Replica<ConfigState, ConfigEntry, ConfigResult>; issues: string[] } {
  const issues: string[] = [];
  const replica = new Replica({
    machine: configMachine,
    port,
    writer: { node, incarnation: randomUUID() },
    snapshots: POLICY,
    waitMs: 500,
    onIssue: ({ code, message }) => issues.push(`${code}: ${message}`),
  });
  return { replica, issues };
}

test(
  'a node begins from a snapshot that is larger than a message',
  { skip: requireService(rocketmqAvailable()) },
  async (t) => {
    const rocketmq = await startRocketMq({ proxy: 'none', brokerSettings: { maxMessageSize: String(MIB) } });
    t.after(() => rocketmq.stop());
    const log = openTestLog(rocketmqSettings(rocketmq, { maxMessageBytes: MIB }));
    t.after(() => log.close());
    const topic = 'large-configs';
    const port = await openReplicatedTopic(log, topic);
    const writer = replicaOn(port, 'a');
    await writer.replica.boot();
    const following = new AbortController();
    const followed = writer.replica.follow(following.signal);
    t.after(async () => {
      following.abort();
      await followed;
    });
    const say = async (entry: ConfigEntry): Promise<void> => {
      const result = await writer.replica.submit(entry);
      assert.ok(result.ok, JSON.stringify(result));
    };
    for (let i = 0; i < 6; i += 1) {
      const name = `c${i}`;
      // Together more than a message, each of them less.
      await say({ type: 'CONNECTOR', name, config: { filler: 'x'.repeat(600 * 1024) } });
      const { version } = writer.replica.state.connectors.get(name)!;
      await say({
        type: 'TASKS',
        name,
        connectorVersion: version,
        configs: [{ filler: 'y'.repeat(600 * 1024) }],
      });
    }
    for (let i = 0; i < 150; i += 1)
      await say({ type: 'TARGET', name: `c${i % 6}`, state: i % 2 ? 'RUNNING' : 'PAUSED' });
    const largest = await until('a snapshot in several parts is there', async () => {
      const { endOffset } = await port.read(0, 0);
      let most = 0;
      for (let from = 0; from < endOffset;) {
        const { records, nextOffset } = await port.read(from, 0);
        for (const { value } of records) {
          const record = decodeRecord(value);
          if (record !== null && 'snapshot' in record && record.part === record.of - 1)
            most = Math.max(most, record.of);
        }
        from = nextOffset;
      }
      return most;
    });
    assert.ok(largest >= 6, `in ${largest} parts`);
    assert.deepEqual(writer.issues, []);

    let lowest = Infinity;
    const watched: ReplicaPort = {
      append: (values) => port.append(values),
      trim: (offset) => port.trim(offset),
      read: (from, waitMs, signal) => {
        if (waitMs === 0 && from > 0) lowest = Math.min(lowest, from);
        return port.read(from, waitMs, signal);
      },
    };
    const second = replicaOn(watched, 'b');
    await second.replica.boot();
    assert.deepEqual(second.issues, []);
    assert.ok(lowest > 12, `read from ${lowest} on: the configs are in the snapshot alone`);
    assert.equal(second.replica.digest(), writer.replica.digest());
  },
);
