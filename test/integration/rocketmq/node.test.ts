import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import {
  requireService,
  rocketmqAvailable,
  startRocketMq,
  type RocketMq,
  type RocketMqOptions,
} from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

const skip = requireService(rocketmqAvailable());
const LINES = 40_000;
/** A bound, not an expectation. */
const PATIENCE_MS = 120_000;

async function rocketmqFor(t: TestContext, options: RocketMqOptions = {}): Promise<RocketMq> {
  const rocketmq = await startRocketMq({ proxy: 'none', ...options });
  t.after(() => rocketmq.stop());
  return rocketmq;
}

/** A node with a file source and a file sink over one topic, applied at its boot. */
async function nodeFor(
  t: TestContext,
  namesrvAddr: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<NodeProcess> {
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'connectors'));
  const write = (name: string, config: Record<string, string>): void => {
    writeFileSync(join(dir, 'connectors', `${name}.json`), JSON.stringify({ name, config }));
  };
  const file = (name: string): string => join(dir, `${name}.txt`);
  write('in', { 'connector.class': 'FileSourceConnector', file: file('in'), topic: 'lines' });
  write('the out', {
    'connector.class': 'FileSinkConnector',
    topics: 'lines',
    file: file('out'),
    'base.dir': dir,
  });
  const lines = Array.from({ length: LINES }, (_, i) => `${i} ${'x'.repeat(100)}\n`);
  writeFileSync(file('in'), lines.join(''));
  const node = await NodeProcess.create(dir, { namesrvAddr, ...settings });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  return node;
}

function numbersOut(node: NodeProcess): number[] {
  const text = contentOf(join(node.dir, 'out.txt'))?.toString() ?? '';
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line.slice(0, line.indexOf(' '))));
}

/** Every line once at least, and for the first time in its order. */
async function allArrived(node: NodeProcess): Promise<void> {
  await until('every line is there', () => new Set(numbersOut(node)).size === LINES, PATIENCE_MS);
  const first = [...new Set(numbersOut(node))];
  assert.ok(first.every((number, i) => number === i));
}

function someArrived(node: NodeProcess, share: number): Promise<boolean> {
  return until('some lines are there', () => numbersOut(node).length > LINES * share, PATIENCE_MS);
}

test('killed while it moves a file through RocketMQ, a node goes on where it was', { skip }, async (t) => {
  const acl = { accessKey: 'troupeuser', secretKey: 'very-secret-9876' };
  const rocketmq = await rocketmqFor(t, { acl });
  const node = await nodeFor(t, rocketmq.namesrvAddr, { aclEnable: 'true', ...acl });
  for (const share of [0.05, 0.3]) {
    await node.start(PATIENCE_MS);
    await someArrived(node, share);
    await node.kill();
  }
  await node.start(PATIENCE_MS);
  await allArrived(node);
  const progress = await until(
    'the group shows it',
    async () => {
      const shown = await rocketmq.admin(['consumerProgress', '-g', 'connect-the%20out']);
      return shown.includes('Diff Total: 0') ? shown : null;
    },
    PATIENCE_MS,
  );
  assert.match(progress, /^lines /m);
  assert.ok(!node.output.includes(acl.secretKey), 'a secret was printed');
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

test('a broker that goes away for a while holds everything up, and nothing is lost', { skip }, async (t) => {
  const rocketmq = await rocketmqFor(t, { syncFlush: true });
  const node = await nodeFor(t, rocketmq.namesrvAddr);
  await node.start(PATIENCE_MS);
  await someArrived(node, 0.05);
  await rocketmq.killBroker();
  await until('the node noticed', () => node.output.includes('cannot connect'), PATIENCE_MS);
  const { status } = await node.request('GET', '/connectors');
  assert.equal(status, 200);
  await rocketmq.startBroker();
  await allArrived(node);
  await node.state('in', 'RUNNING');
  await node.state('the out', 'RUNNING');
});

test('a node that is there before RocketMQ says what it waits for, and then boots', { skip }, async (t) => {
  const rocketmq = await rocketmqFor(t);
  await rocketmq.stopBroker();
  await rocketmq.stopNameServer();
  const node = await nodeFor(t, rocketmq.namesrvAddr);
  node.spawn();
  const otherwise: string[] = [];
  await until(
    'REST tells the reason',
    async () => {
      const { status, body } = await node.request('GET', '/connectors');
      const text = JSON.stringify(body);
      if (status !== 503) otherwise.push(`${status} ${text}`);
      return text.includes(`cannot connect to ${rocketmq.namesrvAddr}`);
    },
    PATIENCE_MS,
  );
  assert.deepEqual(otherwise, []);
  await rocketmq.startNameServer();
  await rocketmq.startBroker();
  await until('the node has booted', () => node.output.includes('boot success'), PATIENCE_MS);
  await allArrived(node);
});
