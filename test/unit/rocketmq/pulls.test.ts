import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RemotingError, type PullRequest, type PullResult } from '#troupe/log/rocketmq/remoting/client.js';
import { until } from '../../support/wait.js';
import { FakeCluster, TOPIC, type Handler } from './fake-cluster.js';
import type { Received } from './fake-server.js';

const FOUND = 0;
const NOT_FOUND = 19;
const RETRY_IMMEDIATELY = 20;
const OFFSET_MOVED = 21;
/** Longer than any test takes. */
const LONG_MS = 60_000;

const clusters: FakeCluster[] = [];
after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

async function start(handle: Handler): Promise<FakeCluster> {
  const cluster = await FakeCluster.start(handle);
  clusters.push(cluster);
  return cluster;
}

function pull({ client }: FakeCluster, changes: Partial<PullRequest> = {}): Promise<PullResult> {
  const queue = { broker: 'a', queueId: 0 };
  const request = {
    topic: TOPIC,
    queue,
    offset: 5,
    group: 'g',
    maxBytes: 1000,
    maxMessages: 10,
    waitMs: LONG_MS,
  };
  return client.pull({ ...request, ...changes });
}

function answer(
  request: Received,
  code: number,
  nextBeginOffset = Number(request.fields['queueOffset']),
): void {
  const fields = {
    nextBeginOffset: String(nextBeginOffset),
    minOffset: '2',
    maxOffset: '6',
    suggestWhichBrokerId: '0',
  };
  request.answer(code, { fields, body: code === FOUND ? 'messages' : '' });
}

const isSuspended = (request: Received): boolean => (Number(request.fields['sysFlag']) & 2) !== 0;

/** Keeps suspended pulls, as a broker does that has nothing. */
async function startIdle(): Promise<{ cluster: FakeCluster; suspended: Received[] }> {
  const suspended: Received[] = [];
  const cluster = await start((request) => {
    if (isSuspended(request)) suspended.push(request);
    else answer(request, NOT_FOUND);
  });
  return { cluster, suspended };
}

test('messages that are there come at once', async () => {
  const cluster = await start((request) => answer(request, FOUND, 6));
  const { status, body, ...offsets } = await pull(cluster);
  assert.deepEqual([status, body.toString()], ['FOUND', 'messages']);
  assert.deepEqual(offsets, { nextOffset: 6, minOffset: 2, maxOffset: 6 });
});

test('an offset that is out of range, or that the broker skips', async () => {
  for (const code of [OFFSET_MOVED, RETRY_IMMEDIATELY, NOT_FOUND]) {
    const cluster = await start((request) => answer(request, code, 2));
    const { status, nextOffset } = await pull(cluster);
    assert.deepEqual([status, nextOffset], ['OFFSET_MOVED', 2]);
  }
});

test('a broker that asks for another try gets it', async () => {
  const cluster = await start((request) =>
    cluster.broker.received.length < 3 ? answer(request, RETRY_IMMEDIATELY) : answer(request, FOUND, 6),
  );
  assert.equal((await pull(cluster, { waitMs: 0 })).status, 'FOUND');
});

test('a message that comes while the broker keeps the pull', async () => {
  const { cluster, suspended } = await startIdle();
  const result = pull(cluster);
  answer(await until('the pull is kept', () => suspended[0]), FOUND, 6);
  assert.equal((await result).status, 'FOUND');
});

test('nothing comes, and the wait is over: the next pull takes over what the broker still keeps', async () => {
  const { cluster, suspended } = await startIdle();
  for (let n = 0; n < 5; n += 1) {
    const { status, nextOffset, maxOffset } = await pull(cluster, { waitMs: 20 });
    assert.deepEqual([status, nextOffset, maxOffset], ['NO_NEW', 5, 6]);
  }
  const result = pull(cluster);
  answer(await until('the pull is kept', () => suspended[0]), FOUND, 6);
  assert.equal((await result).status, 'FOUND');
  assert.equal(suspended.length, 1);
});

test('pulls that differ, or are under way at once, are kept apart', async () => {
  const { cluster, suspended } = await startIdle();
  const variants: Partial<PullRequest>[] = [
    {},
    {},
    { offset: 6 },
    { group: 'h' },
    { maxBytes: 5 },
    { queue: { broker: 'a', queueId: 1 } },
  ];
  const results = variants.map((variant) => pull(cluster, variant));
  await until('all are kept', () => suspended.length === variants.length);
  for (const request of suspended) answer(request, FOUND, 100);
  for (const result of results) assert.equal((await result).status, 'FOUND');
});

test('what a pull that was given up is answered is not kept', async () => {
  const { cluster, suspended } = await startIdle();
  const controller = new AbortController();
  const givenUp = assert.rejects(
    pull(cluster, { signal: controller.signal }),
    (reason) => reason === 'enough',
  );
  const kept = await until('the pull is kept', () => suspended[0]);
  controller.abort('enough');
  await givenUp;
  answer(kept, FOUND, 6);
  // The answer to this comes behind the other.
  await pull(cluster, { waitMs: 0 });
  const result = pull(cluster);
  answer(await until('another pull is kept', () => suspended[1]), FOUND, 6);
  assert.equal((await result).status, 'FOUND');
});

test('a broker that waits less than it is asked to is asked again', async () => {
  const { cluster, suspended } = await startIdle();
  const result = pull(cluster);
  answer(await until('the pull is kept', () => suspended[0]), NOT_FOUND);
  answer(await until('it is kept again', () => suspended[1]), FOUND, 6);
  assert.equal((await result).status, 'FOUND');
});

test('a broker that does not wait at all is not asked without a pause', async () => {
  const cluster = await start((request) => answer(request, NOT_FOUND));
  assert.equal((await pull(cluster, { waitMs: 1200 })).status, 'NO_NEW');
  assert.ok(cluster.broker.received.length < 10, `${cluster.broker.received.length} requests`);
});

test('a connection that is lost while the broker keeps the pull', async () => {
  const { cluster, suspended } = await startIdle();
  const result = pull(cluster);
  (await until('the pull is kept', () => suspended[0])).cut();
  answer(await until('it is kept again', () => suspended[1]), FOUND, 6);
  assert.equal((await result).status, 'FOUND');
});

test('a pull that the broker loses is asked for again', async () => {
  const cluster = await start((request) => {
    if (cluster.broker.received.length > 1) answer(request, FOUND, 6);
  });
  assert.equal((await pull(cluster)).status, 'FOUND');
});

test('a pull is not lost while its answer may be on its way behind others', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const requests: Received[] = [];
  let arrived: () => void = () => undefined;
  const cluster = await start((request) => {
    requests.push(request);
    arrived();
  });
  const pullAt = async (offset: number): Promise<{ result: Promise<PullResult>; request: Received }> => {
    const arrives = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const result = pull(cluster, { offset });
    await arrives;
    const request = requests.at(-1);
    assert.ok(request);
    return { result, request };
  };
  const slow = await pullAt(1);
  for (const offset of [2, 3, 4]) {
    const other = await pullAt(offset);
    answer(other.request, FOUND, 6);
    await other.result;
    t.mock.timers.tick(5000);
  }
  answer(slow.request, FOUND, 6);
  // That after it has come, too, so nothing is under way any more.
  const last = await pullAt(5);
  answer(last.request, FOUND, 6);
  await last.result;
  t.mock.timers.tick(1000);
  assert.equal((await slow.result).status, 'FOUND');
  assert.equal(requests.length, 5);
});

test('aborting ends the wait with the reason of the signal, whatever state it is in', async () => {
  const silent = await start(() => undefined);
  const { cluster: idle, suspended } = await startIdle();
  const busy = await start((request) => request.answer(2));
  for (const cluster of [silent, idle, busy]) {
    const controller = new AbortController();
    const result = assert.rejects(
      pull(cluster, { signal: controller.signal }),
      (reason) => reason === 'enough',
    );
    await until('it is under way', () => cluster.broker.received.length > (cluster === silent ? 0 : 1));
    controller.abort('enough');
    await result;
  }
  // The one that the broker keeps serves another.
  const result = pull(idle);
  const [kept] = suspended;
  assert.ok(kept);
  answer(kept, FOUND, 6);
  assert.equal((await result).status, 'FOUND');
});

test('a group that the brokers do not have', async () => {
  const cluster = await start((request) =>
    request.answer(26, { remark: 'subscription group does not exist' }),
  );
  await assert.rejects(pull(cluster), /Create the consumer group first/);
});

test('closing ends a wait', async () => {
  const { cluster, suspended } = await startIdle();
  const result = assert.rejects(
    pull(cluster),
    (error) => error instanceof RemotingError && error.code === 'LOG_CLOSED',
  );
  await until('the pull is kept', () => suspended.length === 1);
  await cluster.client.close();
  await result;
});
