import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SinkGroups } from '#troupe/actors/persistence/sink-groups.js';
import type { ConnectorEntry } from '#troupe/core/model.js';
import type { SinkOffset } from '#troupe/core/progress/progress-machine.js';
import { EMBEDDED_CAPABILITIES } from '#troupe/log/embedded/capabilities.js';
import type { GroupOffset, TopicDescription } from '#troupe/log/log.js';
import { until } from '../../support/wait.js';

function entry(name: string, config: Record<string, string> = { topics: 'orders' }): ConnectorEntry {
  return { name, config, targetState: 'RUNNING', version: 1, restart: null, tasks: null };
}

function described(name: string): TopicDescription {
  return { name, id: null, queues: 2, retentionMs: null, retentionBytes: null };
}

/** Groups of a log, as far as they are asked for here; all its topics have two queues. */
function setUp(t: TestContext, names: readonly string[], capabilities = EMBEDDED_CAPABILITIES) {
  const topicsOf = new Map<string, readonly string[]>(names.map((name) => [name, ['as it was']]));
  const world = {
    topicsOf,
    committed: [] as (readonly [string, readonly GroupOffset[]])[],
    connectors: null as readonly ConnectorEntry[] | null,
    offsets: [] as SinkOffset[],
    inLog: [] as string[],
    now: 0,
    looks: 0,
    /** Before the log answers. */
    answer: Promise.resolve(),
    costly: [] as string[],
  };
  const groups = new SinkGroups({
    log: {
      capabilities,
      listGroups: async () => {
        world.looks += 1;
        await world.answer;
        return [...topicsOf.keys()];
      },
      deleteGroup: (group) => Promise.resolve(void topicsOf.delete(group)),
      subscribe: (group, topics) => Promise.resolve(void topicsOf.set(group, topics)),
      commitOffsets: (group, offsets) => Promise.resolve(void world.committed.push([group, offsets])),
      describeTopic: (name) => Promise.resolve(described(name)),
      listTopics: () => Promise.resolve(world.inLog.map(described)),
    },
    ownTopics: ['logs-of-the-cluster'],
    connectors: () => world.connectors,
    offsets: (connector) => (connector === 'known' ? world.offsets : []),
    onFailure: (error) => assert.fail(String(error)),
    onCostly: (connector) => void world.costly.push(connector),
    now: () => world.now,
  });
  t.after(() => groups.stop());
  return { world, topicsOf, check: () => groups.check() };
}

test('the group of a deleted connector goes after a while, unless the connector came back in between', async (t) => {
  const names = ['connect-gone', 'connect-back', 'connect-there', 'connect-source', 'of somebody else'];
  const { world, topicsOf, check } = setUp(t, names);
  await check();
  world.now = 100_000;
  await check();
  assert.equal(topicsOf.size, 5, 'the connectors are not known yet');
  world.connectors = [entry('there'), entry('source', { topic: 'orders' })];
  await check();
  world.now += 29_000;
  await check();
  assert.equal(topicsOf.size, 5, 'however often it is looked');
  world.connectors = [...world.connectors, entry('back')];
  world.now += 1000;
  await check();
  assert.deepEqual([...topicsOf.keys()], ['connect-back', 'connect-there', 'of somebody else']);
});

test('in a store that others use as well only groups of connectors that were seen are deleted', async (t) => {
  const names = ['connect-stays', 'connect-goes', 'connect-of somebody else'];
  const { world, topicsOf, check } = setUp(t, names, { ...EMBEDDED_CAPABILITIES, trim: false });
  world.connectors = [entry('stays'), entry('goes')];
  await check();
  world.connectors = [entry('stays')];
  for (world.now = 0; world.now < 100_000; world.now += 30_000) await check();
  assert.deepEqual([...topicsOf.keys()], ['connect-stays', 'connect-of somebody else']);
});

test('a sink whose topics changed while it was stopped holds those that it will read, not those that it has left', async (t) => {
  const { world, topicsOf, check } = setUp(t, ['connect-k']);
  const planned = { connectorVersion: 1, generation: 1, configs: [{ topics: 'old' }] };
  const changed = { ...entry('k', { topics: 'new,newer' }), tasks: planned };
  world.connectors = [changed];
  await check();
  assert.deepEqual(
    topicsOf.get('connect-k'),
    ['new', 'newer', 'old'],
    'its tasks may still read the old one',
  );
  world.connectors = [{ ...changed, targetState: 'STOPPED' }];
  await check();
  assert.deepEqual(topicsOf.get('connect-k'), ['new', 'newer']);
});

test('a stopped sink with a pattern holds what its newest pattern matches, also topics that come later', async (t) => {
  const { world, topicsOf, check } = setUp(t, ['connect-k']);
  const planned = { connectorVersion: 1, generation: 1, configs: [{ 'topics.regex': 'old-.*' }] };
  const changed = { ...entry('k', { 'topics.regex': 'logs-.*' }), tasks: planned };
  world.inLog = ['old-a', 'logs-a', 'logs-of-the-cluster'];
  world.connectors = [changed];
  await check();
  assert.deepEqual(topicsOf.get('connect-k'), ['as it was'], 'as long as there are tasks they say it');
  world.connectors = [{ ...changed, targetState: 'STOPPED' }];
  await check();
  assert.deepEqual(topicsOf.get('connect-k'), ['logs-a']);
  world.inLog.push('logs-b');
  await check();
  assert.deepEqual(topicsOf.get('connect-k'), ['logs-a', 'logs-b']);
  world.inLog = ['old-a'];
  await check();
  assert.deepEqual(topicsOf.get('connect-k'), [], 'nothing that is there');
});

test('a stopped sink whose pattern would take for ever, or is a secret, keeps what it has', async (t) => {
  const { world, topicsOf, check } = setUp(t, ['connect-costly', 'connect-secret', 'connect-next']);
  world.inLog = ['a'.repeat(100)];
  world.connectors = [
    entry('costly', { 'topics.regex': '(a+)+b' }),
    entry('secret', { 'topics.regex': '${env:TOPICS}' }),
    entry('next', { 'topics.regex': 'a+' }),
  ].map((sink) => ({ ...sink, targetState: 'STOPPED' }));
  for (let round = 0; round < 2; round++) await check();
  assert.deepEqual([...topicsOf.values()], [['as it was'], ['as it was'], world.inLog]);
  assert.deepEqual(world.costly, ['costly'], 'which is said once');
});

test('what a pattern or a secret stands for is left to the tasks', async (t) => {
  const { world, topicsOf, check } = setUp(t, ['connect-pattern', 'connect-secret']);
  world.connectors = [
    entry('pattern', { 'topics.regex': '(a+)+b' }),
    entry('secret', { topics: '${env:TOPICS}' }),
  ];
  for (world.now = 0; world.now < 100_000; world.now += 30_000) await check();
  assert.deepEqual([...topicsOf.values()], [['as it was'], ['as it was']]);
});

test('a sink that is made anew under its old name has its group again before it runs', async (t) => {
  const { world, topicsOf, check } = setUp(t, []);
  world.connectors = [{ ...entry('known'), targetState: 'STOPPED' }, entry('unknown')];
  world.offsets = [
    { topic: 'orders', queue: 1, offset: 7 },
    { topic: 'orders', queue: 2, offset: 7 },
    { topic: 'left', queue: 0, offset: 7 },
  ];
  await check();
  assert.deepEqual([...topicsOf], [['connect-known', ['orders']]]);
  assert.deepEqual(world.committed, [['connect-known', [{ topic: 'orders', queue: 1, offset: 7 }]]]);
});

test('checks that come due while the log does not answer are made up for by one', async (t) => {
  const { world, check } = setUp(t, []);
  let answer = (): void => undefined;
  world.answer = new Promise((resolve) => {
    answer = resolve;
  });
  const first = check();
  await until('it has asked the log', () => world.looks === 1);
  const due = [check(), check(), check()];
  answer();
  await Promise.all([first, ...due]);
  assert.equal(world.looks, 2);
  await check();
  assert.equal(world.looks, 3);
});
