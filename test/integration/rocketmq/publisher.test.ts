/** The publisher of the cluster topics against a real RocketMQ, whose proxy and broker go and come. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LogError, type Log, type LogErrorCode } from '#troupe/log/log.js';
import { openReplicatedTopic } from '#troupe/log/replicated-topic.js';
import { Publisher, type PublisherOptions } from '#troupe/log/rocketmq/grpc/publisher.js';
import type { RocketMqSettings } from '#troupe/log/rocketmq/settings.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { openTestLog, rocketmqSettings } from '../../support/rocketmq-log.js';
import { until } from '../../support/wait.js';

const acl = { accessKey: 'troupe', secretKey: 'secret-12345' };

const fails =
  (code: LogErrorCode, text: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof LogError && error.code === code, String(error));
    assert.match(error.message, text);
    return true;
  };

const skip = requireService(rocketmqAvailable());

describe('the publisher', { skip }, () => {
  let rocketmq: RocketMq;
  let log: Log;
  const publishers: Publisher[] = [];
  let topics = 0;

  before(async () => {
    rocketmq = await startRocketMq({
      version: process.env['ROCKETMQ_VERSION'],
      proxy: 'separate',
      proxySettings: { topicRouteServiceCacheRefreshSeconds: 1 },
    });
    log = openTestLog(rocketmqSettings(rocketmq));
  });

  after(async () => {
    await Promise.all(publishers.map((each) => each.close()));
    await log.close();
    await rocketmq.stop();
  });

  function publish(more: Partial<RocketMqSettings> = {}, options: Partial<PublisherOptions> = {}): Publisher {
    const settings = rocketmqSettings(rocketmq, more);
    const publisher = new Publisher({ settings, deadlineMs: 120_000, ...options });
    publishers.push(publisher);
    return publisher;
  }

  async function createTopic(queues = 1): Promise<string> {
    const name = `entries-${(topics += 1)}`;
    await log.createTopic(name, { queues, retentionMs: null, retentionBytes: null });
    return name;
  }

  async function readAll(topic: string): Promise<readonly string[]> {
    const port = await openReplicatedTopic(log, topic);
    const texts: string[] = [];
    for (let from = 0; ;) {
      const { records, nextOffset, endOffset } = await port.read(from, 0);
      texts.push(...records.map(({ value }) => Buffer.from(value).toString()));
      if (nextOffset >= endOffset) return texts;
      from = nextOffset;
    }
  }

  test('entries stand in the topic in their order, and an append answers where its first one does', async () => {
    const topic = await createTopic();
    const publisher = publish();
    const port = await openReplicatedTopic(log, topic, publisher);
    const expected: string[] = [];
    const appends: Promise<void>[] = [];
    // All at once, from one to more than a request takes, in messages and in bytes.
    for (const [count, length] of [
      [1, 10],
      [3, 10],
      [2500, 10],
      [1, 3_000_000],
      [40, 100_000],
      [1, 10],
    ] as const) {
      const from = expected.length;
      const texts = Array.from({ length: count }, (_, i) => `${from + i}`.padEnd(length, '.'));
      expected.push(...texts);
      const append = port.append(texts.map((text) => Buffer.from(text)));
      appends.push(append.then((offset) => assert.equal(offset, from)));
    }
    await Promise.all(appends);
    assert.deepEqual(await readAll(topic), expected);
  });

  test('while the proxy is down an append waits, and what was published before and after is in order', async () => {
    const topic = await createTopic();
    const issues: string[] = [];
    const publisher = publish({}, { onIssue: (_, error) => issues.push(String(error)) });
    await publisher.append(topic, [Buffer.from('before')]);
    await rocketmq.proxy?.kill();
    const during = publisher.append(topic, [Buffer.from('during-1'), Buffer.from('during-2')]);
    const later = publisher.append(topic, [Buffer.from('later')]);
    await until('the publisher has noticed', () => issues.length > 0);
    assert.match(issues[0] ?? '', /The proxy does not answer/);
    await rocketmq.startProxy();
    await Promise.all([during, later]);
    await publisher.append(topic, [Buffer.from('after')]);
    assert.deepEqual(unrepeated(await readAll(topic)), ['before', 'during-1', 'during-2', 'later', 'after']);
  });

  test('while the broker is down an append waits, and nothing that was acknowledged is lost', async () => {
    const topic = await createTopic();
    const issues: unknown[] = [];
    const publisher = publish({}, { onIssue: (_, error) => issues.push(error) });
    await publisher.append(topic, [Buffer.from('before')]);
    // A kill may take what it acknowledged: this broker flushes later.
    await rocketmq.stopBroker();
    const during = publisher.append(topic, [Buffer.from('during')]);
    await until('the publisher has noticed', () => issues.length > 0);
    await rocketmq.startBroker();
    await during;
    assert.deepEqual(unrepeated(await readAll(topic)), ['before', 'during']);
  });

  test('a topic that is created after its first append is found', async () => {
    const publisher = publish();
    const first = publisher.append(`entries-${topics + 1}`, [Buffer.from('early')]);
    const topic = await createTopic();
    assert.equal(await first, 0);
    assert.deepEqual(await readAll(topic), ['early']);
  });

  test('what cannot succeed fails, and says what to do', async () => {
    const topic = await createTopic();
    const value = [Buffer.from('x')];
    const brief = { deadlineMs: 1000 };
    await assert.rejects(
      publish({ endpoints: '127.0.0.1:1' }, brief).append(topic, value),
      fails('LOG_UNAVAILABLE', /Check that it runs and that rocketmq.endpoints names it/),
    );
    await assert.rejects(
      publish({}, brief).append('nowhere', value),
      fails('LOG_UNKNOWN_TOPIC', /Create the topic/),
    );
    await assert.rejects(
      publish().append(await createTopic(2), value),
      fails('LOG_BAD_REQUEST', /must have one queue/),
    );
    await assert.rejects(
      publish().append(topic, [Buffer.alloc(4 * 1024 * 1024)]),
      fails('LOG_BAD_REQUEST', /maxMessageSize/),
    );
  });

  test('with TLS a certificate that nobody vouches for is refused, unless that is not to be checked', async () => {
    // The proxy makes one for itself.
    const topic = await createTopic();
    const checked = publish({ tls: { caFile: null, verify: true } }, { deadlineMs: 2000 });
    await assert.rejects(
      checked.append(topic, [Buffer.from('x')]),
      fails('LOG_UNAVAILABLE', /self-signed certificate/),
    );
    await publish({ tls: { caFile: null, verify: false } }).append(topic, [Buffer.from('secret')]);
    assert.deepEqual(await readAll(topic), ['secret']);
  });

  test('after its end nothing is left open, whether the proxy is there or not', async () => {
    const topic = await createTopic();
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;
    const before = open();
    const publisher = publish();
    const away = publish({ endpoints: '127.0.0.1:1' }, { deadlineMs: 500 });
    await publisher.append(topic, [Buffer.from('x')]);
    await assert.rejects(away.append(topic, [Buffer.from('x')]));
    assert.ok(open() > before);
    await Promise.all([publisher.close(), away.close()]);
    await until('its sockets and timers are gone', () => open() <= before);
    await assert.rejects(publisher.append(topic, [Buffer.from('x')]), fails('LOG_CLOSED', /closed/));
  });
});

test('with ACL requests are signed, and a wrong secret is named', { skip }, async () => {
  const rocketmq = await startRocketMq({ version: process.env['ROCKETMQ_VERSION'], acl });
  const log = openTestLog(rocketmqSettings(rocketmq, { acl }));
  const publish = (credentials: RocketMqSettings['acl'], deadlineMs: number): Publisher =>
    new Publisher({ settings: rocketmqSettings(rocketmq, { acl: credentials }), deadlineMs });
  const publisher = publish(acl, 30_000);
  const impostor = publish({ ...acl, secretKey: 'wrong' }, 30_000);
  const stranger = publish({ ...acl, accessKey: 'nobody' }, 500);
  try {
    const port = await openReplicatedTopic(log, 'entries', publisher);
    const value = [Buffer.from('signed')];
    assert.equal(await port.append(value), 0);
    const denied = /accessKey and secretKey/;
    await assert.rejects(impostor.append('entries', value), fails('LOG_BAD_REQUEST', denied));
    await assert.rejects(stranger.append('entries', value), fails('LOG_UNAVAILABLE', /Check accessKey/));
    assert.equal((await port.read(0, 0)).endOffset, 1);
  } finally {
    await Promise.all([publisher, impostor, stranger].map((each) => each.close()));
    await log.close();
    await rocketmq.stop();
  }
});

/** A request of unknown outcome is repeated: then all that it holds stands there twice. */
function unrepeated(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
