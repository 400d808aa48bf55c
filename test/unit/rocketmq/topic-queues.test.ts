import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '#troupe/log/log.js';
import type { BrokerQueue } from '#troupe/log/rocketmq/remoting/client.js';
import { TopicQueues } from '#troupe/log/rocketmq/topic-queues.js';
import { fakeRemoting } from './fake-remoting.js';

/** What all clients of one cluster see. */
class Scene {
  /** Of each broker that has registered, the queues of the topic. */
  brokers: Record<string, number> = {};
  kept: readonly BrokerQueue[] | null = null;
  writes = 0;
  nowMs = 0;
  /** Called before an order is written: others may do something meanwhile. */
  beforeWrite = (): Promise<unknown> => Promise.resolve();

  client(): TopicQueues {
    let last: { text: string; route: readonly BrokerQueue[] } | null = null;
    const route = (): readonly BrokerQueue[] | null => {
      const queues = Object.keys(this.brokers)
        .sort()
        .flatMap((broker) =>
          Array.from({ length: this.brokers[broker] ?? 0 }, (_, queueId) => ({ broker, queueId })),
        );
      const text = JSON.stringify(queues);
      if (last?.text !== text) last = { text, route: queues };
      return queues.length === 0 ? null : last.route;
    };
    return new TopicQueues(
      fakeRemoting({
        queues: () => Promise.resolve(route()),
        registeredBrokers: () => Promise.resolve(Object.keys(this.brokers)),
        keptQueues: () => Promise.resolve(this.kept),
        keepQueues: async (_topic, queues) => {
          await this.beforeWrite();
          this.writes += 1;
          this.kept = queues;
        },
        forgetQueues: () => {
          this.kept = null;
          return Promise.resolve();
        },
      }),
      () => this.nowMs,
    );
  }

  /** When what is seen now has been so for a while. */
  async numbersLater(client = this.client()): Promise<string> {
    await this.numbers(client);
    this.nowMs += 5000;
    return this.numbers(client);
  }

  async numbers(client = this.client()): Promise<string> {
    const queues = await client.all('t');
    return queues === null ? 'none' : queues.map(({ broker, queueId }) => `${broker}${queueId}`).join(' ');
  }
}

const isAway = (error: unknown): boolean => error instanceof LogError && error.code === 'LOG_UNAVAILABLE';

test('a client that starts while a broker is missing gives no number of its queues to another', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2, b: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
  scene.brokers = { b: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
  scene.brokers = { a: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
});

test('what is known is neither asked for nor kept again', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2 };
  const client = scene.client();
  for (let i = 0; i < 3; i += 1) await scene.numbers(client);
  await scene.numbers();
  assert.equal(scene.writes, 1);
});

test('queues that come later get the numbers behind, wherever their names stand, and on every client the same', async () => {
  const scene = new Scene();
  scene.brokers = { b: 2 };
  const early = scene.client();
  assert.equal(await scene.numbers(early), 'b0 b1');
  scene.brokers = { b: 2, c: 1 };
  assert.equal(await scene.numbersLater(), 'b0 b1 c0');
  scene.brokers = { a: 1, b: 3, c: 1 };
  assert.equal(await scene.numbersLater(), 'b0 b1 c0 a0 b2');
  assert.equal(await scene.numbersLater(early), 'b0 b1 c0 a0 b2');
});

test('two clients that see different new queues in the same instant come to the same numbers, and use no others', async () => {
  const scene = new Scene();
  scene.brokers = { m: 1 };
  const [one, other] = [scene.client(), scene.client()];
  await scene.numbers(one);
  await scene.numbers(other);
  scene.brokers = { m: 1, z: 1 };
  // The other has looked as well, sees another queue, and writes first.
  scene.beforeWrite = async () => {
    scene.beforeWrite = () => Promise.resolve();
    scene.brokers = { a: 1, m: 1 };
    assert.equal(await scene.numbers(other), 'm0');
  };
  assert.equal(await scene.numbers(one), 'm0');
  scene.brokers = { a: 1, m: 1, z: 1 };
  for (const client of [other, one, other, one]) {
    assert.match(await scene.numbers(client), /^m0( z0( a0)?)?$/);
    scene.nowMs += 3000;
  }
  assert.equal(await scene.numbersLater(one), 'm0 z0 a0');
  assert.equal(await scene.numbersLater(other), 'm0 z0 a0');
});

test('an order that another client has cut short meanwhile is waited for anew', async () => {
  const scene = new Scene();
  scene.brokers = { m: 1 };
  const client = scene.client();
  await scene.numbers(client);
  scene.brokers = { m: 1, y: 1, z: 1 };
  await scene.numbers(client);
  // It read the order before that was written, and sees one of the queues only.
  scene.kept = [
    { broker: 'm', queueId: 0 },
    { broker: 'y', queueId: 0 },
  ];
  scene.nowMs += 5000;
  assert.equal(await scene.numbers(client), 'm0');
  assert.equal(await scene.numbers(client), 'm0');
  scene.nowMs += 5000;
  assert.equal(await scene.numbers(client), 'm0 y0 z0');
});

test('where the name servers keep no order new queues are used at once', async () => {
  const scene = new Scene();
  scene.brokers = { a: 1 };
  const client = scene.client();
  await scene.numbers(client);
  scene.kept = null;
  scene.brokers = { a: 2 };
  assert.equal(await scene.numbers(client), 'a0 a1');
});

test('a topic whose only broker is missing is not unknown: somebody would make it anew', async () => {
  const scene = new Scene();
  scene.brokers = { a: 1, b: 0 };
  const known = scene.client();
  assert.equal(await scene.numbers(known), 'a0');
  scene.brokers = { b: 0 };
  await assert.rejects(scene.numbers(), isAway);
  await assert.rejects(scene.numbers(known), isAway);
  scene.brokers = { a: 1, b: 0 };
  assert.equal(await scene.numbers(), 'a0');
});

test('a topic that was deleted is unknown, and begins anew', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2, b: 2 };
  const known = scene.client();
  await scene.numbers(known);
  scene.brokers = { a: 0, b: 0 };
  assert.equal(await scene.numbers(known), 'none');
  scene.brokers = { a: 0, b: 1 };
  assert.equal(await scene.numbers(), 'b0');
  assert.equal(await scene.numbers(known), 'b0');
});

test('a topic that was made anew unseen has fewer queues, or is refused where its queues moved', async () => {
  const scene = new Scene();
  scene.brokers = { a: 3 };
  await scene.numbers();
  scene.brokers = { a: 1 };
  assert.equal(await scene.numbers(), 'a0');
  assert.deepEqual(scene.kept, [{ broker: 'a', queueId: 0 }]);
  scene.brokers = { a: 0, b: 1 };
  await assert.rejects(scene.numbers(), /queue 0 of it any more.*see "Queues"/);
});
