import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FakeCluster } from './fake-cluster.js';
import { FakeServer, type Received } from './fake-server.js';

const clusters: FakeCluster[] = [];
after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

const names = Array.from({ length: 9 }, (_, n) => `group-${n}`);

/** As RocketMQ 5.5 does: from the start again when the version asked with is not the present one. */
function answerPage(request: Received, size: number, counter: number): void {
  const dataVersion = { counter, stateVersion: 0, timestamp: 1 };
  const { groupSeq = '', dataVersion: asked } = request.fields;
  const from = asked === JSON.stringify(dataVersion) ? Number(groupSeq) : 0;
  const page = names.slice(from, from + size);
  const subscriptionGroupTable = Object.fromEntries(page.map((name) => [name, { groupName: name }]));
  request.answer(0, {
    fields: { totalGroupNum: String(names.length) },
    body: JSON.stringify({ dataVersion, subscriptionGroupTable, forbiddenTable: {} }),
  });
}

async function list(
  handle: (request: Received) => void,
): Promise<{ found: readonly string[]; requests: number }> {
  const cluster = await FakeCluster.start(handle);
  clusters.push(cluster);
  return { found: await cluster.client.listGroups(), requests: cluster.broker.received.length };
}

test('groups that come in pages', async () => {
  assert.deepEqual(await list((request) => answerPage(request, 4, 7)), { found: names, requests: 3 });
});

test('groups that change while they are listed', async () => {
  let requests = 0;
  const { found } = await list((request) => answerPage(request, 4, (requests += 1) < 3 ? requests : 3));
  assert.deepEqual(found, names);
});

test('groups of a broker that gives all at once, and those of RocketMQ itself', async () => {
  const table = { mine: {}, TOOLS_CONSUMER: {}, CID_RMQ_SYS_TRANS: {} };
  const body = JSON.stringify({ dataVersion: {}, subscriptionGroupTable: table });
  assert.deepEqual(await list((request) => request.answer(0, { body })), { found: ['mine'], requests: 1 });
});

test('a group is made on the brokers that do not have it, and left alone on the others', async () => {
  const answerNames =
    (...groups: readonly string[]) =>
    (request: Received): void => {
      const table = Object.fromEntries(groups.map((name) => [name, { groupName: name }]));
      request.answer(0, { body: JSON.stringify({ dataVersion: {}, subscriptionGroupTable: table }) });
    };
  const cluster = await FakeCluster.start(answerNames('mine', 'other'));
  clusters.push(cluster);
  const added = await FakeServer.start(answerNames('other'));
  cluster.brokers = ['a', 'b'];
  cluster.masters = { a: cluster.broker.address, b: added.address };
  await cluster.client.ensureGroup('mine');
  const codes = [cluster.broker, added].map(({ received }) => received.map(({ code }) => code));
  assert.deepEqual(codes, [[201], [201, 200]]);
  assert.match(added.received[1]?.body.toString() ?? '', /"groupName":"mine"/);
  await added.stop();
});
