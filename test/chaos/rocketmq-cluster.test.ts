/**
 * Nodes on a real RocketMQ, each over a connection of its own, while nodes are killed and suspended, the broker is
 * killed, and connections are cut, silent, slow and narrow. TEST_SECONDS, TEST_NODES, TEST_CONNECTORS, TEST_SEED.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Cluster } from '../support/cluster.js';
import { Flows } from '../support/flows.js';
import { random } from '../support/random.js';
import { RocketMqLink } from '../support/rocketmq-link.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../support/rocketmq.js';
import type { Fault } from '../support/tcp-proxy.js';
import { letPass } from '../support/wait.js';

const ON_REQUEST =
  process.env['TEST_ROCKETMQ_CHAOS'] === undefined
    ? 'takes minutes: set TEST_ROCKETMQ_CHAOS=1 to run it'
    : null;
const SECONDS = Number(process.env['TEST_SECONDS'] ?? 60);
const IDS = ['a', 'b', 'c', 'd', 'e'].slice(0, Number(process.env['TEST_NODES'] ?? 3));
const PAIRS = Number(process.env['TEST_CONNECTORS'] ?? 6) / 2;
const EVICTION_MS = 5000;
/** Records come every 0.3 s; what is longer than this is a pause. */
const PAUSE_MS = 1500;
/** A bound, not an expectation. */
const PATIENCE_MS = 180_000;

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['cut', { cut: true }],
  ['silent', { silent: true }],
  ['slow', { delayMs: 150 }],
  ['narrow', { bytesPerSecond: 50_000 }],
];

interface World {
  readonly rocketmq: RocketMq;
  readonly cluster: Cluster;
  readonly links: ReadonlyMap<string, RocketMqLink>;
  readonly next: (bound: number) => number;
}

/** What happens, by how likely it is; answers what was done. */
const EVENTS: readonly (readonly [number, (world: World, id: string) => Promise<string>])[] = [
  [4, kill],
  [3, suspend],
  [4, spoil],
  [1, killBroker],
  [2, restart],
];

test(
  `no record is lost and no task runs twice, after ${SECONDS} s of what may happen to ${IDS.length} nodes on a RocketMQ`,
  { skip: ON_REQUEST ?? requireService(rocketmqAvailable()) },
  async (t) => {
    const { seed, next } = random();
    t.diagnostic(`seed ${seed}`);
    const world = await start(t, next);
    const { cluster } = world;
    const flows = new Flows(cluster, {
      pairs: PAIRS,
      tasks: 2,
      source: { batch: '10', 'pause.ms': '300', upstream: join(cluster.dir, 'upstream') },
      patienceMs: PATIENCE_MS,
    });
    await flows.create();
    await flows.running('a');
    await flows.moving();
    const until = performance.now() + SECONDS * 1000;
    do {
      const id = IDS[next(IDS.length)] ?? 'a';
      const told = await oneOf(next)(world, id);
      t.diagnostic(`${Math.round((until - performance.now()) / 1000)} s left: ${told}`);
      await letPass(next(3000));
    } while (performance.now() < until);
    await flows.running('a');
    await flows.moving();
    await flows.finish('b');
    const result = flows.delivery.result();
    t.diagnostic(JSON.stringify(result));
    for (const fault of flows.delivery.faults()) t.diagnostic(fault);
    for (const { unit, longestMs, sumMs } of flows.delivery.pauses(PAUSE_MS))
      t.diagnostic(
        `${unit}: pauses of ${Math.round(sumMs)} ms together, the longest ${Math.round(longestMs)} ms`,
      );
    const { lost, double } = result;
    assert.deepEqual({ lost, double }, { lost: 0, double: [] });
  },
);

async function start(t: TestContext, next: (bound: number) => number): Promise<World> {
  // What the broker acknowledged survives it.
  const rocketmq = await startRocketMq({ proxy: 'separate', syncFlush: true });
  t.after(() => rocketmq.stop());
  const cluster = new Cluster({
    namesrvAddr: rocketmq.namesrvAddr,
    'eviction.timeout.ms': String(EVICTION_MS),
    'offset.flush.interval.ms': '1000',
    'topic.queues': '4',
  });
  t.after(() => cluster.destroy());
  const links = new Map<string, RocketMqLink>();
  t.after(() => {
    for (const link of links.values()) link.close();
  });
  for (const id of IDS) {
    const link = await RocketMqLink.open(rocketmq);
    links.set(id, link);
    await cluster.create(id, link.settings);
  }
  await Promise.all(cluster.nodes.map((node) => node.start(PATIENCE_MS)));
  return { rocketmq, cluster, links, next };
}

function oneOf(next: (bound: number) => number): (world: World, id: string) => Promise<string> {
  const total = EVENTS.reduce((sum, [weight]) => sum + weight, 0);
  let at = next(total);
  for (const [weight, event] of EVENTS) {
    if (at < weight) return event;
    at -= weight;
  }
  return kill;
}

/** Often it is back before the others miss it. */
async function kill({ cluster, next }: World, id: string): Promise<string> {
  const awayMs = next(2) === 0 ? next(1000) : EVICTION_MS + next(3000);
  await cluster.node(id).kill();
  await letPass(awayMs);
  await cluster.node(id).start(PATIENCE_MS);
  return `${id} was killed, and away for ${awayMs} ms`;
}

async function suspend({ cluster, next }: World, id: string): Promise<string> {
  const ms = next(3) === 0 ? next(EVICTION_MS) : EVICTION_MS + 500 + next(4000);
  cluster.suspend(id);
  await letPass(ms);
  cluster.resume(id);
  return `${id} was suspended for ${ms} ms`;
}

async function spoil({ links, next }: World, id: string): Promise<string> {
  const [name = '', fault = {}] = FAULTS[next(FAULTS.length)] ?? [];
  const ms = 500 + next(2 * EVICTION_MS);
  links.get(id)?.set(fault);
  await letPass(ms);
  links.get(id)?.set();
  return `${id}'s connection was ${name} for ${ms} ms`;
}

async function killBroker({ rocketmq, next }: World): Promise<string> {
  const ms = next(5000);
  await rocketmq.killBroker();
  await letPass(ms);
  await rocketmq.startBroker();
  return `the broker was killed, and down for ${ms} ms and its start`;
}

async function restart({ cluster }: World, id: string): Promise<string> {
  const code = await cluster.node(id).stop();
  await cluster.node(id).start(PATIENCE_MS);
  return `${id} was stopped (exit code ${String(code)}) and started`;
}
