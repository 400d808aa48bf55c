import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LogError } from '#troupe/log/log.js';
import { PROXY_PATIENCE_MS, PublisherWhileUp } from '#troupe/log/rocketmq/grpc/publisher-while-up.js';

type Answer = () => Promise<number>;

/** A proxy that gives these answers, one an append. */
function publisherOf(...answers: readonly Answer[]) {
  const left = [...answers];
  const issues: string[] = [];
  const clock = { now: 0 };
  const inner = {
    append: (): Promise<number> => left.shift()?.() ?? Promise.reject(new Error('not expected to be asked')),
    close: () => Promise.resolve(),
  };
  const publisher = new PublisherWhileUp(
    inner,
    (message, error) => issues.push(`${message}: ${String(error)}`),
    () => clock.now,
  );
  return { append: () => publisher.append('t', [Buffer.from('x')]), issues, clock };
}

const away: Answer = () => Promise.reject(new LogError('LOG_UNAVAILABLE', 'the proxy is away'));

test('a proxy that is away is left alone for a while, and then tried again', async () => {
  const { append, issues, clock } = publisherOf(
    () => Promise.resolve(7),
    away,
    () => Promise.resolve(8),
  );
  assert.equal(await append(), 7);
  assert.equal(await append(), null);
  clock.now = 9999;
  assert.equal(await append(), null);
  clock.now = 10_001;
  assert.equal(await append(), 8);
  assert.equal(issues.length, 1);
  assert.match(issues[0] ?? '', /^for 10 s entries go to the brokers.*the proxy is away$/);
});

test('a proxy that says nothing is not waited for', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { append, issues } = publisherOf(() => new Promise<never>(() => undefined));
  const appended = append();
  t.mock.timers.tick(PROXY_PATIENCE_MS);
  assert.equal(await appended, null);
  assert.match(issues[0] ?? '', /did not answer within 2000 ms/);
});

test('what the brokers would refuse as well is an error', async () => {
  const refused = new LogError('LOG_BAD_REQUEST', 'no such user');
  const { append, issues } = publisherOf(() => Promise.reject(refused));
  await assert.rejects(append(), refused);
  assert.deepEqual(issues, []);
});
