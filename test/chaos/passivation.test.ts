/** Sinks that rest and wake all the time, while their nodes die, hang, join and leave, and users change what they do. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { batchOf } from '../conformance/log-batches.js';
import { Cluster } from '../support/cluster.js';
import { readJournal } from '../support/journal.js';
import { Runs } from '../support/overlaps.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? 12);
const SINKS = 6;
const PATTERN = 'pattern';
const AT_ONCE = Number(process.env['TEST_SINKS'] ?? 100);
const QUEUES = 2;
const TOPIC = { queues: QUEUES, retentionMs: null, retentionBytes: null };

test('whatever happens to nodes and connectors while sinks rest and wake, each record arrives in order, and none runs twice', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`TEST_SEED=${seed}`);
  const cluster = new Cluster({ 'task.passivate.after.ms': '300' });
  t.after(() => cluster.destroy());
  await cluster.start('a', 'b', 'c');
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  t.after(() => store.close());
  const names = Array.from({ length: SINKS }, (_, i) => `s${i}`);
  const written = new Map(names.map((name) => [name, 0]));
  let made = 0;
  const configOf = (name: string, more: Record<string, string> = {}) => ({
    'connector.class': 'RecordingSink',
    'tasks.max': '2',
    topics: name,
    'topics.refresh.ms': '200',
    'offset.flush.interval.ms': '100',
    journal: cluster.journal,
    ...more,
  });
  const write = async (name: string): Promise<void> => {
    const from = written.get(name) ?? 0;
    const numbers = Array.from({ length: 1 + next(20) }, (_, n) => from + n);
    for (let queue = 0; queue < QUEUES; queue += 1) {
      const batch = batchOf(numbers.map((n) => `${name}/${queue} ${n}`));
      await store.append({ entries: [{ topic: name, queue, batch }] });
    }
    written.set(name, from + numbers.length);
  };
  for (const name of names) {
    await store.createTopic(name, TOPIC);
    await cluster.put('a', name, configOf(name));
  }
  // Of a pattern, whose topics come and go.
  const { topics: _, ...ofPattern } = configOf(PATTERN, { 'topics.regex': 'p-.*' });
  await cluster.put('a', PATTERN, ofPattern);
  const passing: string[] = [];
  const nodes = ['b', 'c'];
  const request = (method: string, path: string) => cluster.node('a').request(method, path);
  const faults: readonly ((node: string, name: string) => Promise<unknown>)[] = [
    async (node) => {
      await cluster.node(node).kill();
      await cluster.start(node);
    },
    async (node) => {
      assert.equal(await cluster.node(node).stop(), 0);
      await cluster.start(node);
    },
    async (node) => {
      cluster.suspend(node);
      await letPass(1000 + next(7000));
      cluster.resume(node);
    },
    async () => {
      await cluster.node('a').kill();
      await cluster.start('a');
    },
    async (_, name) => {
      await request('PUT', `/connectors/${name}/pause`);
      await write(name);
      await letPass(next(500));
      await request('PUT', `/connectors/${name}/resume`);
    },
    async (_, name) => {
      await cluster.put('a', name, configOf(name, { 'offset.flush.interval.ms': String(50 + next(200)) }));
    },
    (_, name) => request('POST', `/connectors/${name}/restart?includeTasks=true`),
    async () => {
      const topic = `p-${made++}`;
      await store.createTopic(topic, TOPIC);
      passing.push(topic);
      await write(topic);
      const [gone] = next(2) === 0 ? passing.splice(next(passing.length), 1) : [];
      if (gone === undefined) return;
      written.delete(gone);
      await store.deleteTopic(gone);
    },
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of [...names, ...passing]) if (next(2) === 0) await write(name);
    // From no time, when they still write, to long enough for all to rest.
    await letPass(next(1500));
    await faults[next(faults.length)]?.(nodes[next(nodes.length)] ?? 'b', names[next(names.length)] ?? 's0');
  }
  for (const name of [...names, ...passing]) await write(name);
  const missing = (): string[] => {
    const values = new Set(putsOf(cluster.journal).map(({ value }) => value));
    return [...names, ...passing].flatMap((name) =>
      Array.from(
        { length: QUEUES * (written.get(name) ?? 0) },
        (_, n) => `${name}/${n % QUEUES} ${Math.floor(n / QUEUES)}`,
      ).filter((value) => !values.has(value)),
    );
  };
  await until(
    'all records arrive',
    () => {
      const left = missing();
      return left.length === 0 || Promise.reject(new Error(`missing: ${left.slice(0, 20).join(', ')}`));
    },
    60_000,
  );
  const highest = new Map<string, number>();
  const seen = new Set<string>();
  for (const { value } of putsOf(cluster.journal)) {
    if (seen.has(value)) continue;
    seen.add(value);
    const [queue = '', number] = value.split(' ');
    assert.ok(Number(number) > (highest.get(queue) ?? -1), `${value} came late`);
    highest.set(queue, Number(number));
  }
  const runs = new Runs(cluster.suspensions);
  const acts = readJournal(cluster.journal);
  for (const act of acts) runs.take(act);
  assert.deepEqual(runs.overlaps(), []);
  const starts = acts.filter(({ what }) => what === 'start').length;
  t.diagnostic(`${seen.size} records, ${starts} starts of ${SINKS * 2} tasks`);
});

test(`${AT_ONCE} sinks that are woken at once all have their records, and rest again`, async (t) => {
  const cluster = new Cluster({ 'task.passivate.after.ms': '500' });
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  t.after(() => store.close());
  const names = Array.from({ length: AT_ONCE }, (_, i) => `s${i}`);
  const left = [...names];
  const make = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      await store.createTopic(name, TOPIC);
      await cluster.put('a', name, {
        'connector.class': 'RecordingSink',
        topics: name,
        'offset.flush.interval.ms': '100',
        journal: cluster.journal,
      });
    }
  };
  await Promise.all([make(), make(), make(), make()]);
  const resting = async (): Promise<number> => {
    const { body } = await cluster.node('a').request('GET', '/connectors?expand=status');
    return JSON.stringify(body).split('"passive"').length - 1;
  };
  const allRest = () =>
    until(
      'all rest',
      async () => {
        const count = await resting();
        return count === AT_ONCE || Promise.reject(new Error(`${count} rest`));
      },
      300_000,
    );
  for (let round = 0; round < 2; round += 1) {
    await allRest();
    const entries = names.map((topic) => ({ topic, queue: round, batch: batchOf([`${topic} ${round}`]) }));
    await store.append({ entries });
    await until(
      'all have it',
      () => {
        const values = new Set(putsOf(cluster.journal).map(({ value }) => value));
        return names.every((name) => values.has(`${name} ${round}`));
      },
      300_000,
    );
  }
  await allRest();
  assert.equal(putsOf(cluster.journal).length, 2 * AT_ONCE, 'none twice');
});

function putsOf(journal: string) {
  return readJournal(journal).filter(({ what }) => what === 'put');
}
